import type { Cluster } from '../cluster.ts'
import { indexBy } from '../index-by.ts'
import { keyOf } from '../object.ts'
import type { Claim } from './claim-types.ts'
import { claimNames, type VirtualMachine, type Volume } from './vm-types.ts'
import { snapshotClassOf } from './volume-snapshot.ts'

/** KubeVirt says in a machine's status which of its volumes a snapshot of it would include, and why not the others. */
export function showSnapshotStatuses(cluster: Cluster): void {
  const { store } = cluster
  const byClaim = indexBy<VirtualMachine>(store, 'VirtualMachine', ({ metadata, spec }) =>
    claimNames(spec.template.spec.volumes).map((claim) => `${metadata.namespace}/${claim}`),
  )
  const show = (machine: VirtualMachine) => {
    const { spec, metadata } = machine
    const volumes = spec.template.spec.volumes ?? []
    const volumeSnapshotStatuses = volumes.map((volume) => statusOf(cluster, metadata.namespace ?? '', volume))
    store.setStatus(machine, { volumeSnapshotStatuses })
  }
  cluster.control<VirtualMachine>('VirtualMachine', show, {
    PersistentVolumeClaim: (claim) => byClaim.keys(keyOf(claim)),
  })
}

function statusOf(cluster: Cluster, namespace: string, volume: Volume) {
  const { name } = volume
  const no = (reason: string) => ({ name, enabled: false, reason })
  const [claimName] = claimNames([volume])
  if (claimName === undefined) return no(`Snapshot is not supported for this volumeSource type [${name}]`)
  const claim = cluster.store.get<Claim>('PersistentVolumeClaim', namespace, claimName)
  if (!claim) return no('PVC not found')
  if (snapshotClassOf(cluster, claim)) return { name, enabled: true }
  return no(
    `No VolumeSnapshotClass: Volume snapshots are not configured for this StorageClass [${claim.spec.storageClassName}] [${name}]`,
  )
}
