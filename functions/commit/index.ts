import { shareFleet } from '../../shared/clients/shared-fleet.ts'
import type { Fleet } from '../../shared/fleet.ts'
import { isPlan, overFleet } from '../../shared/plan.ts'
import { toFunction, type Wire } from '../../shared/runtime/function.ts'
import type { Outcome, Run } from '../../shared/step.ts'
import { commit } from './commit.ts'
import { complete } from './complete.ts'
import { concludePlan } from './conclude-plan.ts'

const end = async (run: Run, over: Fleet, fleet: Fleet): Promise<Outcome> =>
  isPlan(run) ? concludePlan(run, await fleet.head()) : complete(run, over)

/** change set -> one Git commit; and the commit that closes a run. */
export const wire: Wire = (config, log) => {
  const fleet = shareFleet({ ...config.git, log })
  return {
    step: overFleet(fleet, (run, over) => (run.task === 'complete' ? end(run, over, fleet) : commit(run, over))),
    close: () => fleet.close(),
  }
}

export const { handle, init, shutdown, cors, liveness, readiness } = toFunction('commit', wire)
