import { brokerPoster } from '../../shared/clients/broker.ts'
import { openClusters } from '../../shared/clients/clusters.ts'
import { shareFleet } from '../../shared/clients/shared-fleet.ts'
import { toFunction, type Wire } from '../../shared/runtime/function.ts'
import { placeStep } from './step.ts'

/** The cluster: the one that is asked for, or the one that OCM decides on. */
export const wire: Wire = (config, log) => {
  const fleet = shareFleet({ ...config.git, log })
  const clients = openClusters({ ...config.kubernetes, argocdNamespace: config.argocd.namespace, log })
  const settings = {
    namespace: config.argocd.namespace,
    rootApplication: config.argocd.rootApplication,
    graceMilliseconds: config.graceSeconds * 1000,
  }
  return {
    step: placeStep(fleet, clients, settings),
    post: brokerPoster(config.broker, config.brokerToken),
    close: () => fleet.close(),
  }
}

export const { handle, init, shutdown, cors, liveness, readiness } = toFunction('place', wire)
