import { brokerPoster } from '../../shared/clients/broker.ts'
import { openClusters } from '../../shared/clients/clusters.ts'
import { shareFleet } from '../../shared/clients/shared-fleet.ts'
import { toFunction, type Wire } from '../../shared/runtime/function.ts'
import { locateStep } from './step.ts'

/** The machine that there is: found in the fleet, held for the run, and looked at on its cluster; or the golden image. */
export const wire: Wire = (config, log) => {
  const fleet = shareFleet({ ...config.git, log })
  const clients = openClusters({ ...config.kubernetes, argocdNamespace: config.argocd.namespace, log })
  return {
    step: locateStep(fleet, clients),
    post: brokerPoster(config.broker, config.brokerToken),
    close: () => fleet.close(),
  }
}

export const { handle, init, shutdown, cors, liveness, readiness } = toFunction('locate', wire)
