import { daysAfter, keptDays } from '../../../shared/days.ts'
import { removesMachine } from '../../../shared/lifecycles.ts'
import { requestOf } from '../../../shared/request.ts'
import type { Definition, SpareRoot } from '../../../shared/schema/definition.ts'
import { lasting } from '../../../shared/snapshots.ts'
import type { Run } from '../../../shared/step.ts'
import type { Edit } from '../edit.ts'

/** Turns the machine off, for what cannot be done while it runs; a data disk that is to be destroyed loses what keeps it. */
export const stop: Edit = (definition, run) => {
  if (!mustStop(definition, run)) return definition
  if (!removesMachine(run.lifecycle)) return { ...definition, running: false }
  const { destroy = [] } = requestOf(run, 'deprovision')
  const unknown = destroy.filter((name) => !definition.disks.some((disk) => disk.name === name))
  if (unknown.length > 0)
    return { problems: unknown.map((name) => `destroy names "${name}", which is no data disk of ${definition.name}`) }
  // A mark that a run before has left behind destroys nothing: only what this request names.
  const disks = definition.disks.map(({ destroyed: _, ...disk }) =>
    destroy.includes(disk.name) ? { ...disk, destroyed: true } : disk,
  )
  return { ...definition, running: false, disks }
}

/** Whether a request is about something that only a machine that is off can have done to it. */
function mustStop({ nextRoot }: Definition, run: Run): boolean {
  if (run.lifecycle === 'repave') return nextRoot !== undefined
  if (run.lifecycle === 'power') return requestOf(run, 'power').action !== 'start'
  if (run.lifecycle !== 'resize') return true
  const { size, add = [], detach = [] } = requestOf(run, 'resize')
  return size !== undefined || add.length > 0 || detach.length > 0
}

/** Turns the machine on: where the request says so, or where it was on before. What was done while it was off leaves. */
export const start: Edit = ({ restore, patch: _, ...definition }, run) => {
  const running = run.lifecycle === 'power' ? requestOf(run, 'power').action !== 'stop' : run.facts.wasRunning === true
  const { snapshots, oldRoots } = definition
  const isKept = (one: { name: string }) => run.facts.unfilled && one.name === restore?.snapshot
  return {
    ...definition,
    running,
    ...(snapshots && { snapshots: snapshots.map((one) => (isKept(one) ? lasting(one) : one)) }),
    ...(oldRoots && { oldRoots: running ? oldRoots.map((one) => ending(one, run)) : oldRoots }),
  }
}

/** Who is turned on runs from its new root disk: from now on the old one has an end. */
const ending = (root: SpareRoot, { since }: Run): SpareRoot => ({ until: daysAfter(since, keptDays), ...root })
