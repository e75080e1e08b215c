import { isDict } from '../../../shared/dict.ts'
import { ApiError, badRequest, conflict, invalid, notFound } from '../api-error.ts'
import { serverSideApply } from '../apply.ts'
import { apiVersionOf, isCustom, type Kind } from '../kinds.ts'
import type { Fields, KubeObject, NewObject } from '../object.ts'
import { jsonPatch, mergePatch } from '../patch.ts'
import type { Store } from '../store.ts'
import type { DeleteOptions } from '../store-rules.ts'
import { getOne, listOf } from './read.ts'
import { type ApiRequest, bodyOf, fieldsOf } from './request.ts'
import type { Target } from './route.ts'

interface Written {
  code: number
  object: unknown
}

const isDryRun = (query: URLSearchParams) => query.get('dryRun') === 'All'

/** POST: a new object. */
export async function create(
  store: Store,
  target: Target,
  query: URLSearchParams,
  request: ApiRequest,
): Promise<Written> {
  const object = toObject(target, await fieldsOf(request))
  return { code: 201, object: store.create(object, isDryRun(query)) }
}

/** PUT: the object as a whole; custom resources have to say which version of it they replace. */
export async function replace(
  store: Store,
  target: Target,
  query: URLSearchParams,
  request: ApiRequest,
): Promise<Written> {
  const object = toObject(target, await fieldsOf(request))
  const { kind, name = '' } = target
  if (isCustom(kind) && !object.metadata.resourceVersion) {
    const message = 'Invalid value: 0x0: must be specified for an update'
    throw invalid(kind, name, [{ reason: 'FieldValueInvalid', message, field: 'metadata.resourceVersion' }])
  }
  return { code: 200, object: write(store, target, object, isDryRun(query)) }
}

/** PATCH, in any of its four forms. A patch that loses a race is made again, unless it names a version. */
export async function patch(
  store: Store,
  target: Target,
  query: URLSearchParams,
  request: ApiRequest,
): Promise<Written> {
  const type = (request.headers['content-type'] ?? '').split(';')[0]
  const dryRun = isDryRun(query)
  if (type === 'application/apply-patch+yaml') return applyPatch(store, target, query, await bodyOf(request))
  const body = await bodyOf(request)
  const current = getOne(store, target)
  const next = patched(type ?? '', current, body)
  if (!isDict(next)) throw badRequest('the patched object is no object')
  return { code: 200, object: write(store, target, toObject(target, next), dryRun) }
}

function patched(type: string, current: KubeObject, body: unknown): unknown {
  switch (type) {
    case 'application/json-patch+json':
      return jsonPatch(current, body)
    case 'application/merge-patch+json':
    case 'application/strategic-merge-patch+json':
      return mergePatch(current, body)
    default:
      throw new ApiError(
        415,
        'UnsupportedMediaType',
        `the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml`,
      )
  }
}

function applyPatch(store: Store, target: Target, query: URLSearchParams, body: unknown): Written {
  const manager = query.get('fieldManager')
  if (!manager)
    throw badRequest(
      'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    )
  if (!isDict(body)) throw badRequest('error decoding YAML: it is no object')
  const { kind, namespace = '', name = '' } = target
  const live = store.get(kind.kind, namespace, name)
  if (!live && target.subresource) throw notFound(kind, name)
  const object = serverSideApply(live, toObject(target, body), manager)
  return live
    ? { code: 200, object: write(store, target, object, isDryRun(query)) }
    : { code: 201, object: store.create(object, isDryRun(query)) }
}

function write(store: Store, { kind, name = '', subresource }: Target, object: NewObject, dryRun: boolean): KubeObject {
  if (object.metadata.name !== name)
    throw conflict(kind, name, `the name of the object (${object.metadata.name}) does not match the name on the URL`)
  return store.update(object, subresource === 'status' ? { subresource, dryRun } : { dryRun })
}

/** DELETE of one object: its last state while it is still there, else a `Status` that says success. */
export async function remove(
  store: Store,
  target: Target,
  query: URLSearchParams,
  request: ApiRequest,
): Promise<Written> {
  const options = await deleteOptions(query, request)
  const { kind, namespace = '', name = '' } = target
  const before = getOne(store, target)
  if (isDryRun(query)) return { code: 200, object: before }
  removeOne(store, before, options)
  const now = store.get(kind.kind, namespace, name)
  if (now?.metadata.uid === before.metadata.uid) return { code: 200, object: now }
  const details = { name, group: kind.group || undefined, kind: kind.plural, uid: before.metadata.uid }
  return { code: 200, object: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details } }
}

/** DELETE of a collection. */
export async function removeAll(
  store: Store,
  target: Target,
  query: URLSearchParams,
  request: ApiRequest,
): Promise<Written> {
  const options = await deleteOptions(query, request)
  const page = listOf(store, target, query)
  for (const object of page.items) removeOne(store, object, options)
  return { code: 200, object: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' } }
}

function removeOne(store: Store, { kind, metadata }: KubeObject, options: DeleteOptions): void {
  if (options.propagationPolicy === 'Orphan')
    for (const dependent of store.dependents(metadata.uid)) {
      const ownerReferences = dependent.metadata.ownerReferences?.filter(({ uid }) => uid !== metadata.uid)
      store.modify(dependent, (current) => ({ ...current, metadata: { ...current.metadata, ownerReferences } }))
    }
  store.remove(kind, metadata.namespace ?? '', metadata.name, options)
}

async function deleteOptions(query: URLSearchParams, request: ApiRequest): Promise<DeleteOptions> {
  const body = (await bodyOf(request)) ?? {}
  const propagationPolicy = query.get('propagationPolicy') ?? undefined
  const grace = query.get('gracePeriodSeconds')
  return {
    propagationPolicy,
    gracePeriodSeconds: grace === null ? undefined : Number(grace),
    ...(isDict(body) ? body : {}),
  }
}

/** Checks that a body is of the kind and place that the path names, and fills in what it leaves out. */
function toObject({ kind, namespace, name }: Target, body: Fields): NewObject {
  const metadata = isDict(body['metadata']) ? body['metadata'] : {}
  const apiVersion = apiVersionOf(kind)
  if (body['kind'] && (body['kind'] !== kind.kind || body['apiVersion'] !== apiVersion)) throw mismatch(kind, body)
  if (namespace && metadata['namespace'] && metadata['namespace'] !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  }
  const given = metadata['name'] ?? name
  if (given !== undefined && typeof given !== 'string')
    throw badRequest('error decoding the body: metadata.name is no string')
  const place = { name: given, ...(namespace && { namespace }) }
  return { ...body, apiVersion, kind: kind.kind, metadata: { ...metadata, ...place } }
}

function mismatch({ kind, group, version }: Kind, body: Fields): ApiError {
  return badRequest(
    `${String(body['kind'])} in version ${JSON.stringify(body['apiVersion'])} cannot be handled as a ${kind}: expected ${group ? `${group}/` : ''}${version}`,
  )
}
