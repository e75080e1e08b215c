import { brokerPoster } from '../../shared/clients/broker.ts'
import { openClusters } from '../../shared/clients/clusters.ts'
import { shareFleet } from '../../shared/clients/shared-fleet.ts'
import { overFleet } from '../../shared/plan.ts'
import { toFunction, type Wire } from '../../shared/runtime/function.ts'
import { withVersion } from './image-version.ts'
import { place } from './place.ts'
import { planned } from './planned.ts'
import { unlessOccupied } from './unoccupied.ts'

/** The cluster: the one that is asked for, or the one that OCM decides on. */
export const wire: Wire = (config, log) => {
  const fleet = shareFleet({ ...config.git, log })
  const { hub, occupants, images } = openClusters({ ...config.kubernetes, argocdNamespace: config.argocd.namespace })
  const settings = {
    namespace: config.argocd.namespace,
    rootApplication: config.argocd.rootApplication,
    graceMilliseconds: config.graceSeconds * 1000,
  }
  return {
    step: overFleet(fleet, async (run, over, here) => {
      const chosen = planned(run) ?? (await place(run, over, hub, settings, here))
      return withVersion(run, await unlessOccupied(run, chosen, occupants), images)
    }),
    post: brokerPoster(config.broker, config.brokerToken),
    close: () => fleet.close(),
  }
}

export const { handle, init, shutdown, cors, liveness, readiness } = toFunction('place', wire)
