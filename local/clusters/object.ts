/** Any Kubernetes object, as the store keeps it. What is stored is never changed in place: a change is a new object. */
export interface KubeObject {
  apiVersion: string
  kind: string
  metadata: Metadata
  [field: string]: unknown
}

export interface Metadata {
  name: string
  namespace?: string | undefined
  generateName?: string | undefined
  uid: string
  resourceVersion: string
  generation?: number | undefined
  creationTimestamp: string
  deletionTimestamp?: string | undefined
  deletionGracePeriodSeconds?: number | undefined
  labels?: Record<string, string> | undefined
  annotations?: Record<string, string> | undefined
  ownerReferences?: OwnerReference[] | undefined
  finalizers?: string[] | undefined
  managedFields?: ManagedFields[] | undefined
}

export interface OwnerReference {
  apiVersion: string
  kind: string
  name: string
  uid: string
  controller?: boolean
  blockOwnerDeletion?: boolean
}

export interface ManagedFields {
  manager: string
  operation: 'Apply' | 'Update'
  apiVersion: string
  fieldsType: 'FieldsV1'
  fieldsV1: Record<string, unknown>
}

export interface Condition {
  type: string
  status: 'True' | 'False' | 'Unknown'
  reason?: string | undefined
  message?: string | undefined
  lastTransitionTime?: string | undefined
}

/** What somebody wants to have created: the store fills in the rest of the metadata. */
export type NewObject = Omit<KubeObject, 'metadata'> & {
  apiVersion: string
  kind: string
  metadata: GivenMetadata
}

export type GivenMetadata = { [Field in keyof Metadata]?: Metadata[Field] | undefined }

export type Fields = Record<string, unknown>

/** An object's place inside its kind: `namespace/name`, or the name alone where there are no namespaces. */
export function keyOf({ metadata }: { metadata: GivenMetadata }): string {
  return metadata.namespace ? `${metadata.namespace}/${metadata.name}` : `${metadata.name}`
}

/** The namespace and the name of a key. */
export function placeOf(key: string): { namespace: string; name: string } {
  const slash = key.indexOf('/')
  return { namespace: slash < 0 ? '' : key.slice(0, slash), name: key.slice(slash + 1) }
}

/** The time as Kubernetes writes it: whole seconds, UTC. */
export function timestamp(date = new Date()): string {
  return `${date.toISOString().slice(0, 19)}Z`
}

/** The reference by which an object is owned by another one that controls it. */
export function ownedBy({ apiVersion, kind, metadata: { name, uid } }: KubeObject): OwnerReference {
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true }
}

/** Conditions with one of them set; its transition time moves only when its status does. */
export function withCondition(conditions: readonly Condition[] | undefined, next: Condition): Condition[] {
  const before = conditions?.find(({ type }) => type === next.type)
  const lastTransitionTime = before?.status === next.status ? before.lastTransitionTime : timestamp()
  const set = { ...next, lastTransitionTime }
  if (!before) return [...(conditions ?? []), set]
  return (conditions ?? []).map((condition) => (condition === before ? set : condition))
}

/** Whether a condition has this status. */
export function hasCondition(conditions: readonly Condition[] | undefined, type: string, status = 'True'): boolean {
  return conditions?.some((condition) => condition.type === type && condition.status === status) ?? false
}
