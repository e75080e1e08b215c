import { brokerPoster } from '../../shared/clients/broker.ts'
import { shareFleet } from '../../shared/clients/shared-fleet.ts'
import { toFunction, type Wire } from '../../shared/runtime/function.ts'
import { validate } from './validate.ts'

/** Refuses bad requests: schema, names, template, policy. */
export const wire: Wire = (config, log) => {
  const fleet = shareFleet({ ...config.git, log })
  return {
    step: (run) => validate(run, fleet),
    post: brokerPoster(config.broker),
    close: () => fleet.close(),
  }
}

export const { handle, init, shutdown, cors, liveness, readiness } = toFunction('validate', wire)
