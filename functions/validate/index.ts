import { openAccess } from '../../shared/clients/access.ts'
import { openRights } from '../../shared/clients/rights.ts'
import { shareFleet } from '../../shared/clients/shared-fleet.ts'
import { toFunction, type Wire } from '../../shared/runtime/function.ts'
import { validate } from './validate.ts'

/** Refuses bad requests: who asks, schema, names, template, policy. */
export const wire: Wire = (config, log) => {
  const fleet = shareFleet({ ...config.git, log })
  const hub = openAccess(config.kubernetes)(config.kubernetes.hubContext)
  const rights = config.accessReview ? openRights(hub) : undefined
  return {
    step: (run) => validate(run, fleet, rights),
    close: () => fleet.close(),
  }
}

export const { handle, init, shutdown, cors, liveness, readiness } = toFunction('validate', wire)
