import type { Claim, Snapshot, SnapshotSize } from '../machines.ts'
import { type Access, getObject } from './access.ts'
import { kinds } from './kinds.ts'

/** What KubeVirt has written down of a machine when it took a snapshot. */
interface SnapshotContent {
  spec?: {
    volumeBackups?: { volumeName: string; volumeSnapshotName?: string; persistentVolumeClaim?: Claim }[]
    source?: { virtualMachine?: { spec?: { instancetype?: object; preference?: object } } }
  }
}

/** The VolumeSnapshots that a VirtualMachineSnapshot is made of, by the machine's volume; nothing while it cannot be used. */
export async function volumesOf(access: Access, namespace: string, snapshot: string): Promise<Record<string, string>> {
  const content = await contentOf(access, namespace, snapshot)
  const backups = (content?.spec?.volumeBackups ?? []).flatMap(({ volumeName, volumeSnapshotName: from }) =>
    from ? [[volumeName, from] as const] : [],
  )
  return Object.fromEntries(backups)
}

/** What the machine and its claims had their sizes from when the snapshot was taken; undefined while it cannot be used. */
export async function sizeIn(access: Access, namespace: string, snapshot: string): Promise<SnapshotSize | undefined> {
  const content = await contentOf(access, namespace, snapshot)
  const spec = content?.spec?.source?.virtualMachine?.spec
  if (!spec) return undefined
  const claims = (content?.spec?.volumeBackups ?? []).flatMap(({ volumeName, persistentVolumeClaim: claim }) => {
    const size = claim?.spec?.resources?.requests?.storage
    return size === undefined ? [] : [[volumeName, size]]
  })
  return {
    instancetype: spec.instancetype !== undefined,
    preference: spec.preference !== undefined,
    claims: Object.fromEntries(claims),
  }
}

async function contentOf(access: Access, namespace: string, snapshot: string): Promise<SnapshotContent | undefined> {
  const found = await getObject<Snapshot>(access, { ...kinds.snapshots, namespace, name: snapshot })
  const { readyToUse, virtualMachineSnapshotContentName: name } = found?.status ?? {}
  if (!readyToUse || name === undefined) return undefined
  return getObject<SnapshotContent>(access, { ...kinds.snapshotContents, namespace, name })
}
