import { shareFleet } from '../../shared/clients/shared-fleet.ts'
import { toFunction, type Wire } from '../../shared/runtime/function.ts'
import { commitStep } from './step.ts'

/** change set -> one Git commit; and the commit that closes a run. */
export const wire: Wire = (config, log) => {
  const fleet = shareFleet({ ...config.git, log })
  return {
    step: commitStep(fleet),
    close: () => fleet.close(),
  }
}

export const { handle, init, shutdown, cors, liveness, readiness } = toFunction('commit', wire)
