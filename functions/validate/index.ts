import { brokerPoster } from '../../shared/clients/broker.ts'
import { openClusters } from '../../shared/clients/clusters.ts'
import { shareFleet } from '../../shared/clients/shared-fleet.ts'
import { toFunction, type Wire } from '../../shared/runtime/function.ts'
import { validate } from './validate.ts'

/** Refuses bad requests: who asks, schema, names, template, policy. */
export const wire: Wire = (config, log) => {
  const fleet = shareFleet({ ...config.git, log })
  const { rights } = openClusters({ ...config.kubernetes, argocdNamespace: config.argocd.namespace })
  return {
    step: (run) => validate(run, fleet, config.accessReview ? rights : undefined),
    post: brokerPoster(config.broker),
    close: () => fleet.close(),
  }
}

export const { handle, init, shutdown, cors, liveness, readiness } = toFunction('validate', wire)
