import type { Cluster, Waker } from '../cluster.ts'
import { type KubeObject, keyOf, timestamp } from '../object.ts'
import type { Claim } from './claim-types.ts'
import { contentOf, withContent } from './content.ts'
import type { SnapshotContent, VolumeSnapshot } from './snapshot-types.ts'
import type { StorageClass } from './storage-class.ts'

/** Plays the storage: cuts a snapshot of a claim at once, and has it ready for use after a while. */
export function cutSnapshots(cluster: Cluster): void {
  const { store } = cluster
  const ofContents = (contents: SnapshotContent[]) =>
    contents.flatMap(({ metadata }) => store.dependents(metadata.uid).map(keyOf))
  cluster.control<VolumeSnapshot>('VolumeSnapshot', (snapshot, waker) => reconcile(cluster, snapshot, waker), {
    // Faults are looked for on what a person writes.
    VirtualMachineSnapshot: ({ metadata }) =>
      ofContents(
        store
          .list<SnapshotContent>('VirtualMachineSnapshotContent', metadata.namespace)
          .filter(({ spec }) => spec.virtualMachineSnapshotName === metadata.name),
      ),
  })
}

function reconcile(cluster: Cluster, snapshot: VolumeSnapshot, { over }: Waker) {
  const { store } = cluster
  const { namespace = '' } = snapshot.metadata
  const { readyToUse, creationTime } = snapshot.status ?? {}
  if (snapshot.metadata.deletionTimestamp || readyToUse) return
  const claim = store.get<Claim>(
    'PersistentVolumeClaim',
    namespace,
    snapshot.spec.source.persistentVolumeClaimName ?? '',
  )
  if (claim?.status?.phase !== 'Bound') return
  const wanted = machineSnapshotOf(cluster, snapshot)
  const hasFault = (fault: 'snapshot-fails' | 'snapshot-stuck') =>
    [snapshot, claim, ...wanted].some((object) => cluster.hasFault(fault, object))
  if (hasFault('snapshot-stuck')) return
  if (hasFault('snapshot-fails')) {
    const message =
      'Failed to check and update snapshot content: failed to take snapshot of the volume: rpc error: code = Internal desc = the storage was made to fail'
    return void store.setStatus(snapshot, { readyToUse: false, error: { message, time: timestamp() } })
  }
  if (creationTime) return over('snapshot') ? void store.setStatus(snapshot, { readyToUse: true }) : undefined
  const cut = store.modify(snapshot, (current) => withContent(current, contentOf(claim)))
  if (cut)
    store.setStatus(cut, {
      readyToUse: false,
      creationTime: timestamp(),
      restoreSize: claim.status.capacity?.storage,
      boundVolumeSnapshotContentName: `snapcontent-${snapshot.metadata.uid}`,
      error: undefined,
    })
}

function machineSnapshotOf({ store }: Cluster, { metadata }: VolumeSnapshot): KubeObject[] {
  const { namespace = '', ownerReferences: [owner] = [] } = metadata
  const content = owner && store.get<SnapshotContent>('VirtualMachineSnapshotContent', namespace, owner.name)
  const found = content && store.get('VirtualMachineSnapshot', namespace, content.spec.virtualMachineSnapshotName)
  return found ? [found] : []
}

/** The class by which a claim's storage takes snapshots, if it can. */
export function snapshotClassOf({ store }: Cluster, { spec }: Claim): string | undefined {
  const storageClass = store.get<StorageClass>('StorageClass', '', spec.storageClassName ?? '')
  const found = store.list('VolumeSnapshotClass').find(({ driver }) => driver === storageClass?.provisioner)
  return storageClass && found?.metadata.name
}
