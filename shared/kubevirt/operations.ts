import { customizeJob } from '../images/customize-job.ts'
import type { Definition } from '../schema/definition.ts'
import { kept, type Manifest, metadataOf, ownLabelsOf, replacing, rootDiskName } from './manifest.ts'

/** What is done to a machine by objects of KubeVirt's: snapshots, a restore, a live migration. Git names each once. */
export function operations(definition: Definition): Manifest[] {
  const { snapshots = [], restore, migration, patch } = definition
  return [
    ...snapshots.map((one) => snapshotOf(definition, one)),
    ...(restore ? [restoreOf(definition, restore)] : []),
    ...(migration ? [migrationOf(definition, migration)] : []),
    ...(patch ? patchOf(definition, patch) : []),
  ]
}

/** With `Retain` and the annotations a last snapshot outlives its machine. */
function snapshotOf(definition: Definition, { name, purpose }: NonNullable<Definition['snapshots']>[number]): Manifest {
  const isFinal = purpose === 'final'
  return {
    apiVersion: 'snapshot.kubevirt.io/v1beta1',
    kind: 'VirtualMachineSnapshot',
    metadata: { ...metadataOf(definition, name), ...(isFinal && { annotations: { ...kept } }) },
    spec: {
      source: { apiGroup: 'kubevirt.io', kind: 'VirtualMachine', name: definition.name },
      deletionPolicy: 'Delete',
      failureDeadline: '5m0s',
    },
  }
}

/**
 * Claims keep their names and stay their DataVolumes': by default KubeVirt would rename them and make them the machine's,
 * and Git and cluster would disagree. https://github.com/kubevirt/kubevirt/issues/14372
 */
function restoreOf(definition: Definition, { name, snapshot, replaces }: NonNullable<Definition['restore']>): Manifest {
  return {
    apiVersion: 'snapshot.kubevirt.io/v1beta1',
    kind: 'VirtualMachineRestore',
    metadata: { ...metadataOf(definition, name), ...(replaces && { annotations: { ...replacing } }) },
    spec: {
      target: { apiGroup: 'kubevirt.io', kind: 'VirtualMachine', name: definition.name },
      virtualMachineSnapshotName: snapshot,
      targetReadinessPolicy: 'FailImmediate',
      volumeRestorePolicy: 'InPlace',
      volumeOwnershipPolicy: 'None',
    },
  }
}

/** The Job that changes the root disk, with what it needs. */
function patchOf(definition: Definition, patch: NonNullable<Definition['patch']>): Manifest[] {
  const { namespace, labels = {} } = metadataOf(definition, patch.name)
  const podLabels = ownLabelsOf(definition)
  return customizeJob({ ...patch, namespace, labels, podLabels, claim: rootDiskName(definition) })
}

const migrationOf = (definition: Definition, { name }: NonNullable<Definition['migration']>): Manifest => ({
  apiVersion: 'kubevirt.io/v1',
  kind: 'VirtualMachineInstanceMigration',
  metadata: metadataOf(definition, name),
  spec: { vmiName: definition.name },
})
