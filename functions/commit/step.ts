import type { Fleet } from '../../shared/fleet.ts'
import { isPlan, overFleet } from '../../shared/plan.ts'
import type { Outcome, Run, Step } from '../../shared/step.ts'
import { commit } from './commit.ts'
import { complete } from './complete.ts'
import { concludePlan } from './conclude-plan.ts'

/** Commits a change set, or closes the run. The end of a plan compares its draft with the fleet itself. */
export const commitStep = (fleet: Fleet): Step =>
  overFleet(fleet, (run, over) => (run.task === 'complete' ? end(run, over, fleet) : commit(run, over)))

const end = async (run: Run, over: Fleet, fleet: Fleet): Promise<Outcome> =>
  isPlan(run) ? concludePlan(run, await fleet.head()) : complete(run, over)
