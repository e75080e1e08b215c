import { allocateAddress } from '../functions/allocate/address.ts'
import { allocateName } from '../functions/allocate/name.ts'
import { create } from '../functions/build/create.ts'
import { customize } from '../functions/build/customize.ts'
import { commit } from '../functions/commit/commit.ts'
import { place } from '../functions/place/place.ts'
import type { Event } from '../shared/event.ts'
import { taskFor } from '../shared/event-types.ts'
import type { Fleet } from '../shared/fleet.ts'
import type { GitOpsSettings } from '../shared/gitops/application.ts'
import type { Task } from '../shared/lifecycles.ts'
import { isPlan } from '../shared/plan.ts'
import { isTerminal, toRun } from '../shared/run.ts'
import type { Outcome, Run } from '../shared/step.ts'
import { here, hubThatDecides } from './stand-ins.ts'

/** How long runs and undos take where nothing is set. */
export const limits = { deadlineMinutes: 30, undoMinutes: 15 }

/**
 * Brings a fleet to where a run's earlier steps had left it before they answered with this event: the tasks up to the
 * event's that write to Git are done once more, with what the event says they found out.
 */
export async function catchUp(event: Event, given: { fleet: Fleet; settings: GitOpsSettings }): Promise<void> {
  const found = taskFor(event.type)
  if (!found || event.dataProblem !== undefined) return
  const { lifecycle, fact, task } = found
  if (fact === 'requested' || isTerminal(fact)) return
  const run = toRun(event, fact, lifecycle, task, new Date(event.time ?? 0), limits)
  // What a plan has done so far is in its draft, which the event carries.
  if (isPlan(run)) return
  const until = lifecycle.tasks.findIndex(({ name }) => name === (run.failure?.task ?? run.task))
  for (const task of lifecycle.tasks.slice(0, until)) await again(task, { ...run, task: task.name }, given)
}

async function again(
  task: Task,
  run: Run,
  { fleet, settings }: { fleet: Fleet; settings: GitOpsSettings },
): Promise<void> {
  const waiting = { ...settings, graceMilliseconds: 0 }
  const doing: Record<string, () => Promise<Outcome>> = {
    name: () => allocateName(run, fleet),
    address: () => allocateAddress(run, fleet),
    place: () => place(run, fleet, hubThatDecides(run.facts.cluster ?? ''), waiting, here),
    'create.commit': async () => commit(await built(run, fleet, settings), fleet),
  }
  const outcome = await doing[task.name]?.()
  if (outcome && outcome.kind !== 'succeeded')
    throw new Error(`Cannot bring the fleet to where the run was, at "${task.title}": ${outcome.message}`)
}

/** A run with its definition and change set, which later events no longer carry. */
async function built(run: Run, fleet: Fleet, settings: GitOpsSettings): Promise<Run> {
  const tree = await fleet.head()
  const customized = await customize(run, tree)
  const facts = { ...run.facts, ...('facts' in customized ? customized.facts : {}) }
  const outcome = await create({ ...run, facts }, tree, settings)
  const changes = outcome.kind === 'succeeded' ? (outcome.changes ?? []) : []
  return { ...run, facts, changes }
}
