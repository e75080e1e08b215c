import { addedDiskName, dataDiskName, diskOfVolume, rootVolume } from '../../shared/kubevirt/manifest.ts'
import { type RoundName, roundsOf } from '../../shared/lifecycles.ts'
import { requestOf } from '../../shared/request.ts'
import type { Identity } from '../../shared/schema/definition.ts'
import type { Run } from '../../shared/step.ts'

/** The data disks of each round that makes some. */
const madeBy: Partial<Record<RoundName, (run: Run, name: string, identity: Identity) => string[]>> = {
  create({ facts: { machine, attached = [] } }, name, identity) {
    const made = (machine?.disks ?? []).map((disk) => dataDiskName({ name, identity }, disk.name))
    return [...made, ...attached.flatMap(({ claim }) => claim ?? [])]
  },
  resize(run, name) {
    const { add = [] } = requestOf(run, 'resize')
    return add.map((disk) => addedDiskName(name, disk.name, run.id))
  },
  restore({ id, facts: { restoredFrom } }, name) {
    const volumes = Object.keys(restoredFrom?.volumes ?? {}).filter((volume) => volume !== rootVolume)
    return volumes.map((volume) => addedDiskName(name, diskOfVolume(volume), id))
  },
}

/** The round of a run that makes data disks; undefined where none does. */
export const makingRound = ({ lifecycle }: Pick<Run, 'lifecycle'>): RoundName | undefined =>
  roundsOf(lifecycle).find((round) => madeBy[round])

/** The data disks that a run has made. No undo removes them: whoever got them may have written to them. */
export function madeDisks(run: Run): string[] {
  const { name, identity } = run.facts
  const round = makingRound(run)
  if (name === undefined || identity === undefined || round === undefined) return []
  return (madeBy[round]?.(run, name, identity) ?? []).map((disk) => `${run.request.namespace}/${disk}`)
}
