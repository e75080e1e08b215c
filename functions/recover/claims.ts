import { dataDiskName } from '../../shared/kubevirt/manifest.ts'
import { isLock } from '../../shared/paths.ts'
import type { Run } from '../../shared/step.ts'

/** True for a path that claims something: it is given back last, when the cluster no longer uses it. */
export const isClaim = (path: string) => /^(names|ipam|kept|hub\/placements)\//.test(path) || isLock(path)

/** The data disks that a run has made. No undo removes them: whoever got them may have written to them. */
export function disksOf({ facts, request }: Run): string[] {
  const { name, identity, machine, attached } = facts
  if (name === undefined || identity === undefined) return []
  const made = (machine?.disks ?? []).map((disk) => dataDiskName({ name, identity }, disk.name))
  const taken = (attached ?? []).flatMap(({ claim }) => (claim === undefined ? [] : [claim]))
  return [...made, ...taken].map((disk) => `${request.namespace}/${disk}`)
}
