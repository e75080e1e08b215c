import { cmdbOf } from '../../shared/clients/cmdb.ts'
import { shareFleet } from '../../shared/clients/shared-fleet.ts'
import { toFunction, type Wire } from '../../shared/runtime/function.ts'
import { registerStep } from './step.ts'

/** The machine in the enterprise system: planned, operational, retired. */
export const wire: Wire = (config, log) => {
  const fleet = shareFleet({ ...config.git, log })
  const cmdb = cmdbOf(config.cmdb)
  return {
    step: registerStep(fleet, cmdb),
    close: () => fleet.close(),
  }
}

export const { handle, init, shutdown, cors, liveness, readiness } = toFunction('register', wire)
