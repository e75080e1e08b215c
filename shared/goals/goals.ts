import type { RoundName } from '../lifecycles.ts'
import { imaged, resized } from './disk.ts'
import type { Goal } from './goal.ts'
import { gone } from './gone.ts'
import { migrated } from './migrated.ts'
import { patched } from './patched.ts'
import { assessReady } from './ready.ts'
import { restored } from './restored.ts'
import { snapshotted } from './snapshot.ts'
import { assessStopped, stopped } from './stopped.ts'

/** The machine is as its definition has it: it runs and is ready, or it is off. */
export const asDefined: Goal = {
  assess: (view, aim) =>
    aim.definition.running ? assessReady(view, aim.definition, aim.revision) : assessStopped(view, aim),
}

/** When each round is over. */
export const goals: Record<RoundName, Goal> = {
  create: asDefined,
  stop: stopped,
  start: asDefined,
  save: snapshotted,
  snapshot: snapshotted,
  restore: restored,
  patch: patched,
  image: imaged,
  swap: asDefined,
  resize: resized,
  migrate: migrated,
  remove: gone,
}
