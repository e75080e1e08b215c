import type { Cluster, Waker } from '../cluster.ts'
import { type Index, indexBy } from '../index-by.ts'
import { type Condition, type KubeObject, keyOf } from '../object.ts'
import { release } from './garbage.ts'

export interface Claim extends KubeObject {
  spec: {
    storageClassName?: string
    accessModes?: string[]
    volumeMode?: string
    volumeName?: string
    resources?: { requests?: { storage?: string } }
  }
  status?: { phase?: 'Pending' | 'Bound' | 'Lost' }
}

export interface Pod extends KubeObject {
  spec: {
    nodeName?: string
    volumes?: { name: string; persistentVolumeClaim?: { claimName: string }; secret?: { secretName: string } }[]
  }
  status?: { phase?: string; conditions?: Condition[] }
}

interface StorageClass extends KubeObject {
  volumeBindingMode?: string
}

const protection = 'kubernetes.io/pvc-protection'
export const defaultClass = 'storageclass.kubernetes.io/is-default-class'

/** The claims that pods use: `namespace/claim` to the pods. */
export function podsByClaim({ store }: Cluster): Index {
  return indexBy<Pod>(store, 'Pod', (pod) => claimsOf(pod))
}

function claimsOf({ metadata, spec }: Pod): string[] {
  const names = (spec.volumes ?? []).flatMap(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName ?? [])
  return names.map((name) => `${metadata.namespace}/${name}`)
}

/** Plays the storage: binds claims at once, or when a pod uses them where the storage class says so. */
export function bindClaims(cluster: Cluster): void {
  const { store } = cluster
  const users = podsByClaim(cluster)
  store.admit('PersistentVolumeClaim', (claim, previous) => (previous ? claim : withClass(cluster, claim as Claim)))
  const reconcile = (claim: Claim, { over }: Waker) => {
    const isUsed = [...users.keys(keyOf(claim))].length > 0
    if (claim.metadata.deletionTimestamp) {
      if (!isUsed) release(cluster, claim, protection)
      return
    }
    if (claim.status?.phase === 'Bound') return
    if (!claim.status?.phase) return void store.setStatus(claim, { phase: 'Pending' })
    const populated = claim.metadata.ownerReferences?.some(({ kind }) => kind === 'DataVolume')
    const waits = waitsForConsumer(cluster, claim.spec.storageClassName) && !isUsed
    if (!populated && !waits && over('bind')) bind(cluster, claim)
  }
  cluster.control('PersistentVolumeClaim', reconcile, { Pod: (pod) => claimsOf(pod as Pod) })
}

/** Gives a claim its volume. */
export function bind({ store }: Cluster, claim: Claim): void {
  const { accessModes, resources } = claim.spec
  const bound = store.modify(claim, (current) => ({
    ...current,
    spec: { ...claim.spec, volumeName: `pvc-${claim.metadata.uid}` },
  }))
  if (bound) store.setStatus(bound, { phase: 'Bound', accessModes, capacity: resources?.requests })
}

/** Whether a storage class binds a claim only when a pod uses it. */
export function waitsForConsumer({ store }: Cluster, name: string | undefined): boolean {
  return (
    name !== undefined &&
    store.get<StorageClass>('StorageClass', '', name)?.volumeBindingMode === 'WaitForFirstConsumer'
  )
}

/** The storage class that is meant where none is named. */
export function defaultStorageClass({ store }: Cluster): string | undefined {
  return store.list('StorageClass').find(({ metadata }) => metadata.annotations?.[defaultClass] === 'true')?.metadata
    .name
}

function withClass(cluster: Cluster, claim: Claim): KubeObject {
  const storageClassName = claim.spec.storageClassName ?? defaultStorageClass(cluster)
  // A claim that a pod uses stays until the pod is gone.
  const metadata = { ...claim.metadata, finalizers: [...(claim.metadata.finalizers ?? []), protection] }
  return {
    ...claim,
    metadata,
    spec: { volumeMode: 'Filesystem', ...claim.spec, ...(storageClassName && { storageClassName }) },
  }
}
