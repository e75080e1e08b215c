import { isDict, valueAt } from '../dict.ts'

/**
 * How the disks of a machine are put back on a cluster. `in place`: KubeVirt makes each claim anew under its name, and
 * leaves it to its DataVolume. `new disks`: new DataVolumes are made from the snapshot and take the place of those that are
 * in use, which stay; KubeVirt restores nothing, so what it offers does not matter.
 */
export type Restoring = 'in place' | 'new disks'

/** The API that snapshots and restores are of. */
export const snapshotApi = 'snapshot.kubevirt.io/v1beta1'

/**
 * What a cluster's OpenAPI document of the API comes to; undefined where it has no VirtualMachineRestore. Without both
 * policies nothing is restored in place: KubeVirt 1.6 knows the first alone, and where it loses the race that 1.7 ended it
 * gives a disk to the VirtualMachine, whose deletion then takes it along. A field that a schema lacks is dropped unsaid.
 * https://github.com/kubevirt/kubevirt/pull/15344
 */
export function restoringBy(document: unknown): Restoring | undefined {
  const schemas = valueAt(document, ['components', 'schemas'])
  const found = isDict(schemas) ? Object.values(schemas).find(isOfRestores) : undefined
  if (found === undefined) return undefined
  const fields = valueAt(found, ['properties', 'spec', 'properties'])
  // What cannot be told is not relied on.
  const hasBoth = isDict(fields) && 'volumeRestorePolicy' in fields && 'volumeOwnershipPolicy' in fields
  return hasBoth ? 'in place' : 'new disks'
}

function isOfRestores(schema: unknown): boolean {
  const kinds = valueAt(schema, ['x-kubernetes-group-version-kind'])
  return Array.isArray(kinds) && kinds.some((one) => isDict(one) && one['kind'] === 'VirtualMachineRestore')
}
