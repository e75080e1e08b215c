import type { Cluster, Waker } from '../cluster.ts'
import { type Index, indexBy } from '../index-by.ts'
import { type KubeObject, keyOf, withCondition } from '../object.ts'
import { quantity } from '../quantity.ts'
import { admitClaims } from './claim-admission.ts'
import { type Claim, claimsOf, hasEnded, type Pod } from './claim-types.ts'
import { contentOf, withContent } from './content.ts'
import { release } from './garbage.ts'
import type { VolumeSnapshot } from './snapshot-types.ts'
import { waitsForConsumer } from './storage-class.ts'

const protection = 'kubernetes.io/pvc-protection'

/** The claims that pods use: `namespace/claim` to the pods. A pod that has ended uses nothing any more. */
export function podsByClaim({ store }: Cluster): Index {
  return indexBy<Pod>(store, 'Pod', (pod) => (hasEnded(pod) ? [] : claimsOf(pod)))
}

/** Plays the storage: binds claims at once, or when a pod uses them where the storage class says so, and lets them grow. */
export function bindClaims(cluster: Cluster): void {
  const { store } = cluster
  const users = podsByClaim(cluster)
  admitClaims(cluster)
  const reconcile = (claim: Claim, { over }: Waker) => {
    const isUsed = [...users.keys(keyOf(claim))].length > 0
    if (claim.metadata.deletionTimestamp) {
      if (!isUsed) release(cluster, claim, protection)
      return
    }
    if (claim.status?.phase === 'Bound') return grow(cluster, claim, over)
    if (!claim.status?.phase) return void store.setStatus(claim, { phase: 'Pending' })
    const isFilled = claim.spec.dataSource?.kind === 'VolumeSnapshot'
    const isPopulated = !isFilled && claim.metadata.ownerReferences?.some(({ kind }) => kind === 'DataVolume')
    const waits = waitsForConsumer(cluster, claim.spec.storageClassName) && !isUsed
    const content = contentFor(cluster, claim)
    if (!isPopulated && !waits && content !== undefined && over('bind')) bind(cluster, claim, content)
  }
  const ofPod = (pod: KubeObject) => claimsOf(pod as Pod)
  cluster.control('PersistentVolumeClaim', reconcile, { Pod: ofPod })
}

/** What a claim that the storage fills by itself has on it: what its snapshot has, else what it says of itself. Undefined where that is gone. */
function contentFor({ store }: Cluster, claim: Claim): string | undefined {
  const { dataSource } = claim.spec
  if (dataSource?.kind !== 'VolumeSnapshot') return contentOf(claim)
  const snapshot = store.get<VolumeSnapshot>('VolumeSnapshot', claim.metadata.namespace ?? '', dataSource.name)
  // The snapshotter keeps what a claim is to be filled from, but nothing is provisioned from it once it is to go.
  return snapshot && !snapshot.metadata.deletionTimestamp ? contentOf(snapshot) : undefined
}

/** Gives a claim its volume, with something on it. */
export function bind({ store }: Cluster, claim: Claim, content: string): void {
  const { accessModes, resources } = claim.spec
  const bound = store.modify(claim, (current) =>
    withContent({ ...current, spec: { ...claim.spec, volumeName: `pvc-${claim.metadata.uid}` } }, content),
  )
  if (bound) store.setStatus(bound, { phase: 'Bound', accessModes, capacity: resources?.requests })
}

/** A claim that asks for more than it has gets it after a while. */
function grow(cluster: Cluster, claim: Claim, over: Waker['over']): void {
  const { store } = cluster
  const { capacity, conditions } = claim.status ?? {}
  const wanted = claim.spec.resources?.requests
  if (quantity(wanted?.storage ?? '0') <= quantity(capacity?.storage ?? '0')) return
  if (cluster.hasFault('grow-fails', claim)) {
    const message = `resize volume "${claim.spec.volumeName}" by resizer "simulated" failed: rpc error: code = ResourceExhausted desc = not enough free space`
    return void cluster.event(claim, 'Warning', 'VolumeResizeFailed', message)
  }
  if (!conditions?.some(({ type }) => type === 'Resizing'))
    return void store.setStatus(claim, { conditions: withCondition(conditions, { type: 'Resizing', status: 'True' }) })
  if (over('grow'))
    store.setStatus(claim, { capacity: wanted, conditions: conditions.filter(({ type }) => type !== 'Resizing') })
}
