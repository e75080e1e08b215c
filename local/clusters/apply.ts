import { isDict } from '../../shared/dict.ts'
import type { Fields, KubeObject, ManagedFields, NewObject } from './object.ts'
import { mergePatch } from './patch.ts'

export const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration'

/**
 * Three-way apply, as kubectl and Argo CD do it for custom resources: what the last configuration had and the new one
 * has not is removed, the new one is merged in, and what others wrote stays. Lists are replaced as a whole.
 */
export function threeWay(live: KubeObject, wanted: NewObject): NewObject {
  const before: unknown = JSON.parse(live.metadata.annotations?.[lastApplied] ?? '{}')
  return mergePatch(mergePatch(live, removals(before, wanted)), wanted) as NewObject
}

/** The configuration with itself in the annotation by which the next three-way apply knows it. */
export function remembering(wanted: NewObject): NewObject {
  const annotations = { ...wanted.metadata.annotations, [lastApplied]: JSON.stringify(wanted) }
  return { ...wanted, metadata: { ...wanted.metadata, annotations } }
}

/** Server-side apply: the same, where what a manager applied last is known from `managedFields`. */
export function serverSideApply(live: KubeObject | undefined, wanted: NewObject, manager: string): NewObject {
  const entries = live?.metadata.managedFields ?? []
  const own = entries.find((entry) => entry.manager === manager && entry.operation === 'Apply')
  const fieldsV1 = toFieldSet(withoutIdentity(wanted))
  const { apiVersion } = wanted
  const entry: ManagedFields = { manager, operation: 'Apply', apiVersion, fieldsType: 'FieldsV1', fieldsV1 }
  const dropped = fromFieldSet(own?.fieldsV1 ?? {}, fieldsV1)
  const merged = mergePatch(mergePatch(live ?? {}, dropped), wanted) as NewObject
  const managedFields = [...entries.filter((one) => one !== own), entry]
  return { ...merged, metadata: { ...merged.metadata, managedFields } }
}

/** A merge patch that removes what is in `before` and not in `after`. */
function removals(before: unknown, after: unknown): Fields {
  const patch: Fields = {}
  if (!isDict(before)) return patch
  for (const [field, value] of Object.entries(before)) {
    const next = isDict(after) ? after[field] : undefined
    if (next === undefined) patch[field] = null
    else if (isDict(value) && isDict(next)) patch[field] = removals(value, next)
  }
  return patch
}

function withoutIdentity({ apiVersion: _, kind: __, metadata, ...rest }: NewObject): Fields {
  const { name: ___, namespace: ____, ...labels } = metadata
  return { ...rest, metadata: labels }
}

function toFieldSet(value: Fields): Fields {
  return Object.fromEntries(
    Object.entries(value).map(([field, child]) => [`f:${field}`, isDict(child) ? toFieldSet(child) : {}]),
  )
}

/** A merge patch that removes the fields which are in the older set alone. */
function fromFieldSet(before: Fields, after: Fields): Fields {
  const patch: Fields = {}
  for (const [field, child] of Object.entries(before)) {
    const next = after[field]
    if (!isDict(next)) patch[field.slice(2)] = null
    else if (isDict(child) && Object.keys(next).length > 0) patch[field.slice(2)] = fromFieldSet(child, next)
  }
  return patch
}
