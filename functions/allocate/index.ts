import { shareFleet } from '../../shared/clients/shared-fleet.ts'
import { toFunction, type Wire } from '../../shared/runtime/function.ts'
import { allocateStep } from './step.ts'

/** The machine's name, then its addresses, DNS names and identity: each reserved by a commit, and released by one. */
export const wire: Wire = (config, log) => {
  const fleet = shareFleet({ ...config.git, log })
  return {
    step: allocateStep(fleet),
    close: () => fleet.close(),
  }
}

export const { handle, init, shutdown, cors, liveness, readiness } = toFunction('allocate', wire)
