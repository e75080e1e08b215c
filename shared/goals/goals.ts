import { lookAtData } from '../claims.ts'
import { rootDiskName } from '../kubevirt/manifest.ts'
import { keptUntil } from '../kubevirt/new-disks.ts'
import type { MachineRound } from '../lifecycles.ts'
import { failed, reached } from './assessment.ts'
import { imaged, resized } from './disk.ts'
import type { Aim, Goal } from './goal.ts'
import { gone } from './gone.ts'
import { migrated } from './migrated.ts'
import { patched } from './patched.ts'
import { assessApplied, assessReady } from './ready.ts'
import { restored } from './restored.ts'
import { saved, snapshotted } from './snapshot.ts'
import { assessStopped, stopped } from './stopped.ts'

/** The machine is as its definition has it: it runs and is ready, or it is off. */
export const asDefined: Goal = {
  assess: (view, aim) =>
    aim.definition.running ? assessReady(view, aim.definition, aim.revision, guestOf(aim)) : assessStopped(view, aim),
}

/** What an undo leaves: the machine as it is defined, and as ready as it was before. */
export const asBefore: Goal = {
  assess(view, aim) {
    const { definition, revision, facts } = aim
    if (definition.running && facts.wasReady === false) return assessApplied(view, definition, revision)
    const guestAgent = definition.guestAgent && facts.hadAgent !== false
    return asDefined.assess(view, { ...aim, definition: { ...definition, guestAgent } })
  },
}

/** Whether this run has had the guest started. */
const guestOf = ({ run, definition }: Aim) =>
  (['create', 'start', 'swap'] satisfies MachineRound[]).some((round) => definition.operation === `${run}.${round}`)
    ? 'started'
    : 'left running'

/** The machine is as its definition has it, and its data is on the claims that it was on. */
const started: Goal = {
  ...asDefined,
  async confirm(aim, machines, view) {
    const { problems } = await lookAtData(machines, aim.definition, aim.facts.claims)
    return problems.length > 0 ? failed(problems.join('; ')) : asDefined.assess(view, aim)
  },
}

/** The machine runs from its new root disk; nothing of that is said where the image was current. */
const swapped: Goal = {
  assess(view, aim) {
    const shown = asDefined.assess(view, aim)
    const { operation, name, oldRoots = [] } = aim.definition
    if (shown.state !== 'reached' || operation !== `${aim.run}.swap`) return shown
    const { name: old, ...kept } = oldRoots.at(-1) ?? {}
    const verb = aim.definition.running ? 'runs' : 'is to run'
    const message = `VM ${name} ${verb} from ${rootDiskName(aim.definition)}; its old root disk ${old} is ${keptUntil(kept)}`
    return reached(message, { report: [message] })
  },
}

/** When each round is over. */
export const goals: Record<MachineRound, Goal> = {
  create: asDefined,
  stop: stopped,
  start: started,
  save: saved,
  snapshot: snapshotted,
  restore: restored,
  patch: patched,
  image: imaged,
  swap: swapped,
  resize: resized,
  migrate: migrated,
  remove: gone,
}

/** What a round that did not reach its goal could not do, for a sentence: "Cannot patch the disk of VM web-01". */
export const attempts: Record<MachineRound, string> = {
  create: 'bring up',
  stop: 'stop',
  start: 'bring back',
  save: 'take a snapshot to go back to of',
  snapshot: 'take the snapshot of',
  restore: 'restore the disks of',
  patch: 'patch the disk of',
  image: 'make the new root disk of',
  swap: 'bring up the new root disk of',
  resize: 'resize the disks of',
  migrate: 'move',
  remove: 'take away',
}
