import { isDict } from '../../../shared/dict.ts'
import type { Cluster } from '../cluster.ts'
import { faultFinalizer } from '../faults.ts'
import type { KubeObject } from '../object.ts'

/** Deletes what has lost its owners, and empties namespaces that are being deleted. */
export function collectGarbage(cluster: Cluster): void {
  const { store } = cluster
  const pending = new Map<string, KubeObject>()
  let turn: NodeJS.Immediate | undefined
  store.finalizersFor = (object) => (cluster.hasFault('never-deleted', object) ? [faultFinalizer] : [])
  store.admit('Namespace', (namespace, previous) =>
    previous ? namespace : { ...namespace, spec: { finalizers: ['kubernetes'] } },
  )
  for (const { kind } of store.kinds) cluster.control(kind, (object) => settle(cluster, object))

  const stop = store.subscribe(({ type, object }) => {
    if (type !== 'DELETED') return
    pending.set(object.metadata.uid, object)
    turn ??= setImmediate(() => {
      turn = undefined
      const gone = [...pending.values()]
      pending.clear()
      for (const one of gone) afterDeletion(cluster, one)
    })
  })
  cluster.onClose(stop, () => turn && clearImmediate(turn))
}

/** What follows from the state of an object that is new or being deleted. */
function settle(cluster: Cluster, object: KubeObject): void {
  const { metadata, kind } = object
  if (kind === 'Namespace') settleNamespace(cluster, object)
  if (!metadata.deletionTimestamp) return
  if (metadata.finalizers?.includes('foregroundDeletion')) finishForeground(cluster, object)
  if (metadata.finalizers?.includes(faultFinalizer) && !cluster.hasFault('never-deleted', object))
    release(cluster, object, faultFinalizer)
}

function settleNamespace({ store }: Cluster, namespace: KubeObject): void {
  const { name, deletionTimestamp } = namespace.metadata
  store.setStatus(namespace, { phase: deletionTimestamp ? 'Terminating' : 'Active' })
  if (!deletionTimestamp || !isDict(namespace['spec']) || !Array.isArray(namespace['spec']['finalizers'])) return
  const content = store.kinds.filter((kind) => kind.namespaced).flatMap(({ kind }) => store.list(kind, name))
  for (const { kind, metadata } of content) if (!metadata.deletionTimestamp) store.remove(kind, name, metadata.name)
  if (content.length === 0) store.modify(namespace, (current) => ({ ...current, spec: {} }))
}

function finishForeground(cluster: Cluster, owner: KubeObject): void {
  const { store } = cluster
  const dependents = store.dependents(owner.metadata.uid)
  for (const { kind, metadata } of dependents)
    if (!metadata.deletionTimestamp) store.remove(kind, metadata.namespace ?? '', metadata.name)
  if (dependents.length === 0) release(cluster, owner, 'foregroundDeletion')
}

/** Takes a finalizer away from an object. */
export function release({ store }: Cluster, object: KubeObject, finalizer: string): void {
  store.modify(object, (current) => {
    const finalizers = current.metadata.finalizers?.filter((one) => one !== finalizer)
    return { ...current, metadata: { ...current.metadata, finalizers } }
  })
}

function afterDeletion(cluster: Cluster, { metadata }: KubeObject): void {
  const { store } = cluster
  for (const dependent of store.dependents(metadata.uid)) {
    const { kind, metadata: own } = dependent
    const others = own.ownerReferences?.filter(({ uid }) => uid !== metadata.uid) ?? []
    const alive = others.some(
      (one) => store.get(one.kind, own.namespace ?? '', one.name) ?? store.get(one.kind, '', one.name),
    )
    if (!alive && !own.deletionTimestamp) store.remove(kind, own.namespace ?? '', own.name)
  }
  for (const { kind, name } of metadata.ownerReferences ?? []) {
    const owner = store.get(kind, metadata.namespace ?? '', name)
    if (owner?.metadata.deletionTimestamp) settle(cluster, owner)
  }
  const namespace = metadata.namespace === undefined ? undefined : store.get('Namespace', '', metadata.namespace)
  if (namespace?.metadata.deletionTimestamp) settleNamespace(cluster, namespace)
}
