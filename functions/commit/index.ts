import { brokerPoster } from '../../shared/clients/broker.ts'
import { shareFleet } from '../../shared/clients/shared-fleet.ts'
import { toFunction, type Wire } from '../../shared/runtime/function.ts'
import { commit } from './commit.ts'
import { complete } from './complete.ts'

/** change set -> one Git commit; and the commit that closes a run. */
export const wire: Wire = (config, log) => {
  const fleet = shareFleet({ ...config.git, log })
  return {
    step: (run) => (run.task === 'complete' ? complete(run, fleet) : commit(run, fleet)),
    post: brokerPoster(config.broker),
    close: () => fleet.close(),
  }
}

export const { handle, init, shutdown, cors, liveness, readiness } = toFunction('commit', wire)
