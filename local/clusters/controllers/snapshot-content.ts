import type { Cluster } from '../cluster.ts'
import { hasCondition, type KubeObject, ownedBy, timestamp } from '../object.ts'
import type { Claim } from './claim-types.ts'
import { withRevisions } from './matcher-admission.ts'
import type { Snapshot, SnapshotContent, VolumeBackup, VolumeSnapshot } from './snapshot-types.ts'
import type { Instance, VirtualMachine } from './vm-types.ts'
import { cutSnapshots, snapshotClassOf } from './volume-snapshot.ts'

/** The content that belongs to a snapshot. */
export const contentNameOf = ({ metadata }: Snapshot) => `vmsnapshot-content-${metadata.uid}`

/** KubeVirt's controller of snapshots' contents: freezes the guest, has each claim snapshot, and thaws the guest. */
export function runContents(cluster: Cluster): void {
  cutSnapshots(cluster)
  const ofOwner = ({ metadata }: KubeObject) =>
    (metadata.ownerReferences ?? []).map(({ name }) => `${metadata.namespace}/${name}`)
  cluster.control<SnapshotContent>('VirtualMachineSnapshotContent', (content) => reconcile(cluster, content), {
    VolumeSnapshot: ofOwner,
  })
}

/** Makes the content of a snapshot: the machine as it is, and those of its claims whose storage can be snapshot. */
export function makeContent(cluster: Cluster, snapshot: Snapshot, machine: VirtualMachine): void {
  const { namespace = '', name, uid } = snapshot.metadata
  const volumeBackups = (machine.spec.template.spec.volumes ?? []).flatMap((volume): VolumeBackup[] => {
    const claimName = volume.persistentVolumeClaim?.claimName ?? volume.dataVolume?.name
    const claim = claimName && cluster.store.get<Claim>('PersistentVolumeClaim', namespace, claimName)
    if (!claim || !snapshotClassOf(cluster, claim)) return []
    const { metadata, spec } = claim
    const volumeSnapshotName = `vmsnapshot-${uid}-volume-${volume.name}`
    return [{ volumeName: volume.name, persistentVolumeClaim: { metadata, spec }, volumeSnapshotName }]
  })
  const { metadata } = machine
  const spec = withRevisions(machine.spec, metadata.name)
  const content = cluster.store.create({
    apiVersion: snapshot.apiVersion,
    kind: 'VirtualMachineSnapshotContent',
    metadata: { name: contentNameOf(snapshot), namespace },
    spec: { virtualMachineSnapshotName: name, source: { virtualMachine: { metadata, spec } }, volumeBackups },
  })
  const message = `Successfully created VirtualMachineSnapshotContent ${content.metadata.name}`
  cluster.event(snapshot, 'Normal', 'SuccessfulVirtualMachineSnapshotContentCreate', message)
}

function reconcile(cluster: Cluster, content: SnapshotContent) {
  const { store } = cluster
  const { namespace = '', deletionTimestamp } = content.metadata
  if (deletionTimestamp) return
  const { volumeBackups } = content.spec
  const isCut = content.status?.creationTime !== undefined
  if (!isCut) freeze(cluster, content, true)
  const snapshots = volumeBackups.map(
    (backup) =>
      store.get<VolumeSnapshot>('VolumeSnapshot', namespace, backup.volumeSnapshotName) ??
      (isCut ? undefined : cut(cluster, content, backup)),
  )
  const statuses = snapshots.map((snapshot) => snapshot?.status)
  const allCut = isCut || statuses.every((status) => status?.creationTime)
  const gone = volumeBackups.filter((_, n) => !snapshots[n]).map(({ volumeSnapshotName }) => volumeSnapshotName)
  const wrong = snapshots.find((snapshot) => snapshot?.status?.error)
  const message =
    gone.length > 0
      ? `VolumeSnapshots (${gone.join(',')}) missing`
      : wrong && `VolumeSnapshot ${wrong.metadata.name} error: ${wrong.status?.error?.message}`
  if (allCut) freeze(cluster, content, false)
  const known = content.status?.error
  store.setStatus(content, {
    readyToUse: statuses.every((status) => status?.readyToUse),
    creationTime: content.status?.creationTime ?? (allCut ? timestamp() : undefined),
    error: message ? (known?.message === message ? known : { message, time: timestamp() }) : undefined,
    volumeSnapshotStatus: snapshots.flatMap((snapshot) =>
      snapshot
        ? {
            volumeSnapshotName: snapshot.metadata.name,
            readyToUse: snapshot.status?.readyToUse,
            creationTime: snapshot.status?.creationTime,
          }
        : [],
    ),
  })
}

function cut(cluster: Cluster, content: SnapshotContent, { persistentVolumeClaim, volumeSnapshotName }: VolumeBackup) {
  const { metadata, spec } = persistentVolumeClaim
  const volumeSnapshotClassName = snapshotClassOf(cluster, {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata,
    spec,
  })
  const { name, namespace } = content.spec.source.virtualMachine.metadata
  const labels = {
    'snapshot.kubevirt.io/source-vm-name': name,
    'snapshot.kubevirt.io/source-vm-namespace': namespace ?? '',
  }
  return cluster.store.create({
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshot',
    metadata: { name: volumeSnapshotName, namespace, labels, ownerReferences: [ownedBy(content)] },
    spec: { source: { persistentVolumeClaimName: metadata.name }, volumeSnapshotClassName },
  }) as VolumeSnapshot
}

/** A guest with an agent holds its file systems still while its disks are cut. */
function freeze({ store }: Cluster, { spec }: SnapshotContent, on: boolean): void {
  const { namespace = '', name } = spec.source.virtualMachine.metadata
  const instance = store.get<Instance>('VirtualMachineInstance', namespace, name)
  if (instance && hasCondition(instance.status?.conditions, 'AgentConnected'))
    store.setStatus(instance, { fsFreezeStatus: on ? 'frozen' : undefined })
}
