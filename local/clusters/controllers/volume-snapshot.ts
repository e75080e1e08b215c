import type { Cluster, Waker } from '../cluster.ts'
import { type KubeObject, keyOf, timestamp } from '../object.ts'
import type { Claim } from './claim-types.ts'
import { contentOf, withContent } from './content.ts'
import type { SnapshotContent, VolumeSnapshot } from './snapshot-types.ts'
import type { StorageClass } from './storage-class.ts'

/** Plays the storage: cuts a snapshot of a claim at once, and has it ready for use after a while. */
export function cutSnapshots(cluster: Cluster): void {
  const { store } = cluster
  const ofContents = (namespace: string | undefined, isWanted: (content: SnapshotContent) => boolean) =>
    store
      .list<SnapshotContent>('VirtualMachineSnapshotContent', namespace)
      .filter(isWanted)
      .flatMap(({ metadata }) => store.dependents(metadata.uid).map(keyOf))
  cluster.control<VolumeSnapshot>('VolumeSnapshot', (snapshot, waker) => reconcile(cluster, snapshot, waker), {
    VirtualMachineSnapshot: ({ metadata }) =>
      ofContents(metadata.namespace, ({ spec }) => spec.virtualMachineSnapshotName === metadata.name),
    VirtualMachine: ({ metadata }) =>
      ofContents(metadata.namespace, ({ spec }) => spec.source.virtualMachine.metadata.uid === metadata.uid),
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
  const wanted = wantedBy(cluster, snapshot)
  const hasFault = (fault: 'snapshot-fails' | 'snapshot-stuck') =>
    [snapshot, claim, ...wanted].some((object) => cluster.hasFault(fault, object))
  if (hasFault('snapshot-stuck')) return
  if (hasFault('snapshot-fails')) {
    if (snapshot.status?.error) return
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

/** The snapshot of a machine that a snapshot of a claim is part of, and the machine: faults are annotated there. */
function wantedBy({ store }: Cluster, { metadata }: VolumeSnapshot): KubeObject[] {
  const { namespace = '', ownerReferences: [owner] = [] } = metadata
  const content = owner && store.get<SnapshotContent>('VirtualMachineSnapshotContent', namespace, owner.name)
  if (!content) return []
  const { virtualMachineSnapshotName, source } = content.spec
  const places = [
    ['VirtualMachineSnapshot', virtualMachineSnapshotName],
    ['VirtualMachine', source.virtualMachine.metadata.name],
  ] as const
  return places.flatMap(([kind, name]) => store.get(kind, namespace, name) ?? [])
}

/** The class by which a claim's storage takes snapshots, if it can. */
export function snapshotClassOf({ store }: Cluster, { spec }: Claim): string | undefined {
  const storageClass = store.get<StorageClass>('StorageClass', '', spec.storageClassName ?? '')
  const found = store.list('VolumeSnapshotClass').find(({ driver }) => driver === storageClass?.provisioner)
  return storageClass && found?.metadata.name
}
