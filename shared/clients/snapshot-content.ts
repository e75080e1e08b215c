import type { Snapshot } from '../machines.ts'
import { type Access, ask } from './access.ts'

/** What KubeVirt has written down of a machine when it took a snapshot. */
interface SnapshotContent {
  spec?: {
    volumeBackups?: { volumeName: string; volumeSnapshotName?: string }[]
    source?: { virtualMachine?: { spec?: { instancetype?: object; preference?: object } } }
  }
}

const kind = { group: 'snapshot.kubevirt.io', version: 'v1beta1' }

/** The content of a VirtualMachineSnapshot; undefined while that cannot be used. */
export async function readContent(
  access: Access,
  namespace: string,
  snapshot: string,
): Promise<SnapshotContent | undefined> {
  const read = async (plural: string, name: string): Promise<unknown> => {
    const one = { ...kind, namespace, plural, name }
    return ask(access, `get ${plural}`, (api) => api.getNamespacedCustomObject(one))
  }
  const found = (await read('virtualmachinesnapshots', snapshot)) as Snapshot | undefined
  const { readyToUse, virtualMachineSnapshotContentName: name } = found?.status ?? {}
  if (!readyToUse || name === undefined) return undefined
  return (await read('virtualmachinesnapshotcontents', name)) as SnapshotContent | undefined
}
