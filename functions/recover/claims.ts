import type { Run } from '../../shared/step.ts'

/** True for a path that claims something: it is given back last, when the cluster no longer uses it. */
export const isClaim = (path: string) => /^(names|ipam|hub\/placements)\//.test(path)

/** The data disks that a run has made. No undo removes them: whoever got them may have written to them. */
export const disksOf = ({ facts, request }: Run): string[] =>
  (facts.machine?.disks ?? []).map((disk) => `${request.namespace}/${facts.name}-data-${disk.name}`)
