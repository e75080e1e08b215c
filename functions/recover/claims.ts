import { addedDiskName, dataDiskName, rootVolume, volumeOf } from '../../shared/kubevirt/manifest.ts'
import { isLock } from '../../shared/paths.ts'
import { requestOf } from '../../shared/request.ts'
import type { Run } from '../../shared/step.ts'

/** True for a path that claims something: it is given back last, when the cluster no longer uses it. */
export const isClaim = (path: string) => /^(names|ipam|kept|hub\/placements)\//.test(path) || isLock(path)

/** The data disks that a run has made. No undo removes them: whoever got them may have written to them. */
export function disksOf(run: Run): string[] {
  const { facts, request, lifecycle } = run
  const { name, identity, machine, attached, restoredFrom } = facts
  if (name === undefined || identity === undefined) return []
  if (lifecycle === 'resize') {
    const { add = [] } = requestOf(run, 'resize')
    return add.map((disk) => `${request.namespace}/${addedDiskName(name, disk.name, run.id)}`)
  }
  if (lifecycle === 'restore')
    return Object.keys(restoredFrom?.volumes ?? {})
      .filter((volume) => volume !== rootVolume)
      .map(
        (volume) => `${request.namespace}/${addedDiskName(name, volume.slice(volumeOf({ name: '' }).length), run.id)}`,
      )
  const made = (machine?.disks ?? []).map((disk) => dataDiskName({ name, identity }, disk.name))
  const taken = (attached ?? []).flatMap(({ claim }) => (claim === undefined ? [] : [claim]))
  return [...made, ...taken].map((disk) => `${request.namespace}/${disk}`)
}
