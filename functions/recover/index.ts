import { brokerPoster } from '../../shared/clients/broker.ts'
import { openClusters } from '../../shared/clients/clusters.ts'
import { cmdbOf } from '../../shared/clients/cmdb.ts'
import { shareFleet } from '../../shared/clients/shared-fleet.ts'
import { toFunction, type Wire } from '../../shared/runtime/function.ts'
import { undo } from './undo.ts'

/** Undoes a failed run. It is also every Trigger's dead letter sink; the shell turns those into failures. */
export const wire: Wire = (config, log) => {
  const fleet = shareFleet({ ...config.git, log })
  const { machines } = openClusters({ ...config.kubernetes, argocdNamespace: config.argocd.namespace })
  const cmdb = cmdbOf(config.cmdb)
  const clients = {
    fleet,
    machines,
    rootApplication: config.argocd.rootApplication,
    cmdb,
  }
  return {
    step: (run, here) => undo(run, clients, here),
    post: brokerPoster(config.broker),
    close: () => fleet.close(),
  }
}

export const { handle, init, shutdown, cors, liveness, readiness } = toFunction('recover', wire)
