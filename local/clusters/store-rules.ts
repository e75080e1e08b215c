import { isDict } from '../../shared/dict.ts'
import { badRequest, conflict, invalid } from './api-error.ts'
import { apiVersionOf, type Kind } from './kinds.ts'
import type { GivenMetadata, KubeObject, NewObject } from './object.ts'

export interface DeleteOptions {
  propagationPolicy?: string | undefined
  gracePeriodSeconds?: number | undefined
  preconditions?: { uid?: string; resourceVersion?: string } | undefined
}

/** Whether two values are the same as JSON: a field that is undefined is as good as none. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((value, n) => same(value, b[n]))
  if (!isDict(a) || !isDict(b)) return false
  for (const field in a) if (!same(a[field], b[field])) return false
  for (const field in b) if (b[field] !== undefined && a[field] === undefined) return false
  return true
}

const precondition = (what: string, wanted: string, actual: string) =>
  `Precondition failed: ${what} in precondition: ${wanted}, ${what} in object meta: ${actual}`

/** The finalizers that a way of deleting adds. */
export function waiting({ propagationPolicy }: DeleteOptions): string[] {
  return propagationPolicy === 'Foreground' ? ['foregroundDeletion'] : []
}

/** A namespace is held by a finalizer of its spec until it is empty, a graceful kind until its node ended it. */
export function isHeld(kind: Kind, { metadata, spec }: KubeObject): boolean {
  if (metadata.finalizers?.length || (kind.graceful && metadata.deletionGracePeriodSeconds)) return true
  return isDict(spec) && Array.isArray(spec['finalizers']) && spec['finalizers'].length > 0
}

/** Throws 422 for a name that Kubernetes does not take. */
export function checkName(kind: Kind, name: string): void {
  if (!name) {
    const message = 'Required value: name or generateName is required'
    throw invalid(kind, '', [{ reason: 'FieldValueRequired', message, field: 'metadata.name' }])
  }
  const loose = kind.group === 'rbac.authorization.k8s.io'
  if (name.length <= 253 && (loose || /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(name)))
    return
  const rule =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character"
  const message = `Invalid value: ${JSON.stringify(name)}: ${rule}`
  throw invalid(kind, name, [{ reason: 'FieldValueInvalid', message, field: 'metadata.name' }])
}

/** Throws 400 for metadata of another shape than its readers expect. */
export function checkMetadata({ kind }: Kind, metadata: GivenMetadata): void {
  const { labels = {}, annotations = {}, finalizers = [], ownerReferences = [] } = metadata
  const isMap = (value: unknown) => isDict(value) && Object.values(value).every((text) => typeof text === 'string')
  const isOwner = (value: unknown) =>
    isDict(value) && ['kind', 'name', 'uid'].every((field) => typeof value[field] === 'string')
  const wrong = [
    !isMap(labels) && 'labels: wanted a map of strings',
    !isMap(annotations) && 'annotations: wanted a map of strings',
    !(Array.isArray(finalizers) && finalizers.every((one) => typeof one === 'string')) &&
      'finalizers: wanted a list of strings',
    !(Array.isArray(ownerReferences) && ownerReferences.every(isOwner)) && 'ownerReferences: wanted a list of owners',
  ].find((sentence) => sentence !== false)
  if (wrong) throw badRequest(`${kind} cannot be read: metadata.${wrong}`)
}

/** Throws 409 when an object is not the one, or not of the version, that the caller means. */
export function checkPreconditions(kind: Kind, previous: KubeObject, { uid, resourceVersion }: GivenMetadata): void {
  const { metadata } = previous
  if (uid && uid !== metadata.uid) throw conflict(kind, metadata.name, precondition('UID', uid, metadata.uid))
  if (resourceVersion && resourceVersion !== metadata.resourceVersion) throw conflict(kind, metadata.name)
}

/** The object after a replacement: what the server keeps by itself stays as it is. */
export function replaced(kind: Kind, previous: KubeObject, input: NewObject): KubeObject {
  const { uid, creationTimestamp, generation, deletionTimestamp, resourceVersion, name, namespace } = previous.metadata
  const { deletionGracePeriodSeconds } = previous.metadata
  const born = { name, namespace, uid, creationTimestamp, generation, resourceVersion }
  const kept = { ...born, deletionTimestamp, deletionGracePeriodSeconds }
  const { status, ...rest } = input
  const shown = kind.status ? previous['status'] : status
  const object = { ...rest, apiVersion: apiVersionOf(kind), metadata: { ...input.metadata, ...kept } }
  return shown === undefined ? object : { ...object, status: shown }
}

/** Whether two states of an object are wanted alike: but for metadata, and for status where that is reported. */
export function sameSpec(kind: Kind, a: KubeObject, b: KubeObject): boolean {
  const strip = ({ metadata: _, status, ...rest }: KubeObject) => (kind.status ? rest : { ...rest, status })
  return same(strip(a), strip(b))
}

/** The object with its generation counted up, where its kind has one. */
export function bumped(object: KubeObject): KubeObject {
  const { generation } = object.metadata
  return generation === undefined ? object : { ...object, metadata: { ...object.metadata, generation: generation + 1 } }
}
