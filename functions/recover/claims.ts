import { addedDiskName, dataDiskName } from '../../shared/kubevirt/manifest.ts'
import { isLock } from '../../shared/paths.ts'
import { requestOf } from '../../shared/request.ts'
import type { Run } from '../../shared/step.ts'

/** True for a path that claims something: it is given back last, when the cluster no longer uses it. */
export const isClaim = (path: string) => /^(names|ipam|kept|hub\/placements)\//.test(path) || isLock(path)

/** The data disks that a run has made. No undo removes them: whoever got them may have written to them. */
export function disksOf(run: Run): string[] {
  const { facts, request, lifecycle } = run
  const { name, identity, machine, attached } = facts
  if (name === undefined || identity === undefined) return []
  if (lifecycle === 'resize') {
    const { add = [] } = requestOf(run, 'resize')
    return add.map((disk) => `${request.namespace}/${addedDiskName(name, disk.name, run.id)}`)
  }
  const made = (machine?.disks ?? []).map((disk) => dataDiskName({ name, identity }, disk.name))
  const taken = (attached ?? []).flatMap(({ claim }) => (claim === undefined ? [] : [claim]))
  return [...made, ...taken].map((disk) => `${request.namespace}/${disk}`)
}
