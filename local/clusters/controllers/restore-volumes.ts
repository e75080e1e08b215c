import type { Cluster } from '../cluster.ts'
import { type KubeObject, ownedBy } from '../object.ts'
import { quantity } from '../quantity.ts'
import { same } from '../store-rules.ts'
import { populatedFor, prePopulated } from './cdi-types.ts'
import type { Claim } from './claim-types.ts'
import type { Restore, SnapshotContent, VolumeBackup, VolumeRestore, VolumeSnapshot } from './snapshot-types.ts'
import { waitsForConsumer } from './storage-class.ts'
import type { VirtualMachine } from './vm-types.ts'

export const restoreName = 'restore.kubevirt.io/name'
const lastRestore = 'restore.kubevirt.io/lastRestoreUID'
const left = /^(pv\.kubernetes\.io|volume\.beta\.kubernetes\.io|cdi\.kubevirt\.io|volume\.kubernetes\.io)/

/** By what a claim or a machine says that a restore has been at it. */
export function restoredBy({ metadata: { name, uid } }: Restore): Record<string, string> {
  return { [lastRestore]: `${name}-${uid}` }
}

/** Whether a restore has been at an object. */
export function hasRestored({ metadata: { name, uid } }: Restore, { metadata }: KubeObject): boolean {
  return metadata.annotations?.[lastRestore] === `${name}-${uid}`
}

/**
 * Makes the claims of a restore from their snapshots, a step at a time. InPlace deletes each claim before it is made again
 * under its name: from then on the snapshot is the only copy. Answers what is wrong when something is.
 */
export function restoreVolumes(
  cluster: Cluster,
  restore: Restore,
  machine: VirtualMachine | undefined,
  { spec }: SnapshotContent,
): 'done' | 'going on' | string {
  const known = restore.status?.restores ?? []
  const restores = spec.volumeBackups.map(
    (backup) => known.find(({ volumeName }) => volumeName === backup.volumeName) ?? planFor(restore, backup),
  )
  if (!same(known, restores)) return plan(cluster, restore, restores)
  const steps = spec.volumeBackups.map((backup, n) => {
    const one = restores[n]
    return one && step(cluster, restore, { machine, backup, one, source: spec.source.virtualMachine })
  })
  return (
    steps.find((said) => said !== undefined && said !== 'done' && said !== 'going on') ??
    (steps.includes('going on') ? 'going on' : 'done')
  )
}

function planFor(
  restore: Restore,
  { volumeName, persistentVolumeClaim, volumeSnapshotName }: VolumeBackup,
): VolumeRestore {
  const { volumeRestorePolicy = 'RandomizeNames', target } = restore.spec
  const names = {
    InPlace: persistentVolumeClaim.metadata.name,
    PrefixTargetName: `${target.name}-${volumeName}`.slice(0, 63),
    RandomizeNames: `restore-${restore.metadata.uid}-${volumeName}`,
  }
  return { volumeName, persistentVolumeClaim: names[volumeRestorePolicy], volumeSnapshotName }
}

function plan({ store }: Cluster, restore: Restore, restores: VolumeRestore[]): 'going on' {
  store.setStatus(restore, { restores })
  return 'going on'
}

interface Step {
  machine: VirtualMachine | undefined
  backup: VolumeBackup
  one: VolumeRestore
  source: SnapshotContent['spec']['source']['virtualMachine']
}

function step(
  cluster: Cluster,
  restore: Restore,
  { machine, backup, one, source }: Step,
): 'done' | 'going on' | string {
  const { store } = cluster
  const { namespace = '' } = restore.metadata
  const claim = store.get<Claim>('PersistentVolumeClaim', namespace, one.persistentVolumeClaim)
  if (!claim) {
    const snapshot = store.get<VolumeSnapshot>('VolumeSnapshot', namespace, one.volumeSnapshotName)
    if (!snapshot || [restore, machine ?? restore].some((object) => cluster.hasFault('restore-fails', object)))
      return `missing volumeSnapshot ${one.volumeSnapshotName}`
    store.create(claimFor(restore, { machine, backup, one, source }, snapshot))
    return 'going on'
  }
  if (restore.spec.volumeRestorePolicy === 'InPlace' && !hasRestored(restore, claim))
    return clear(cluster, restore, claim, one)
  if (claim.status?.phase === 'Bound' || waitsForConsumer(cluster, claim.spec.storageClassName)) return 'done'
  return 'going on'
}

/** Deletes a claim that is to be made again; CDI must not make it meanwhile, so its DataVolume is told first. */
function clear(cluster: Cluster, restore: Restore, claim: Claim, one: VolumeRestore): 'going on' {
  const { store } = cluster
  const { namespace = '', name, ownerReferences, deletionTimestamp } = claim.metadata
  const owner = ownerReferences?.find(({ controller, kind }) => controller && kind === 'DataVolume')?.name
  if (owner !== undefined && one.dataVolumeName === undefined) {
    const restores = restore.status?.restores?.map((each) =>
      each.volumeName === one.volumeName ? { ...each, dataVolumeName: owner } : each,
    )
    // Several disks may come to this in the same turn: the rest of them follow in the next.
    return plan(cluster, restore, restores ?? [])
  }
  const volume = owner === undefined ? undefined : store.get('DataVolume', namespace, owner)
  if (volume)
    store.modify(volume, (current) => ({
      ...current,
      metadata: {
        ...current.metadata,
        annotations: {
          ...current.metadata.annotations,
          [restoreName]: restore.metadata.name,
          [prePopulated]: volume.metadata.name,
        },
      },
    }))
  if (!deletionTimestamp) store.remove('PersistentVolumeClaim', namespace, name)
  return 'going on'
}

function claimFor(restore: Restore, { machine, backup, one, source }: Step, snapshot: VolumeSnapshot) {
  const { metadata, spec } = backup.persistentVolumeClaim
  const { volumeName: _, ...wanted } = spec
  const kept = Object.entries(metadata.annotations ?? {}).filter(([key]) => !left.test(key))
  const isOwned = restore.spec.volumeOwnershipPolicy !== 'None' && one.dataVolumeName === undefined
  const size = spec.resources?.requests?.storage ?? '0'
  const { restoreSize = size } = snapshot.status ?? {}
  const dataSource = { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: one.volumeSnapshotName }
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name: one.persistentVolumeClaim,
      namespace: restore.metadata.namespace,
      labels: {
        ...metadata.labels,
        'restore.kubevirt.io/source-vm-name': source.metadata.name,
        'restore.kubevirt.io/source-vm-namespace': source.metadata.namespace ?? '',
      },
      annotations: {
        ...Object.fromEntries(kept),
        [restoreName]: restore.metadata.name,
        ...restoredBy(restore),
        ...(one.dataVolumeName !== undefined && { [populatedFor]: one.dataVolumeName }),
      },
      ...(isOwned && machine && { ownerReferences: [ownedBy(machine)] }),
    },
    spec: {
      ...wanted,
      resources: { requests: { storage: quantity(restoreSize) > quantity(size) ? restoreSize : size } },
      dataSource,
      dataSourceRef: dataSource,
    },
  }
}
