import { brokerPoster } from '../../shared/clients/broker.ts'
import { openClusters } from '../../shared/clients/clusters.ts'
import { cmdbOf } from '../../shared/clients/cmdb.ts'
import { shareFleet } from '../../shared/clients/shared-fleet.ts'
import { toFunction, type Wire } from '../../shared/runtime/function.ts'
import { strand } from './strand.ts'
import { tick } from './tick.ts'
import { undo } from './undo.ts'

/**
 * Undoes a failed run, and makes one go on whose events were lost. It is also every Trigger's dead letter sink; the shell
 * turns those into failures.
 */
export const wire: Wire = (config, log) => {
  const fleet = shareFleet({ ...config.git, log })
  const { machines, goldenImages } = openClusters({
    ...config.kubernetes,
    argocdNamespace: config.argocd.namespace,
    log,
  })
  const cmdb = cmdbOf(config.cmdb)
  const clients = {
    fleet,
    machines,
    goldenImages,
    rootApplication: config.argocd.rootApplication,
    gitops: { ...config.argocd, branch: config.git.branch },
    cmdb,
    undoMinutes: config.undoMinutes,
  }
  return {
    step: (run, here) => undo(run, clients, here),
    sweep: (now) => tick(fleet, { quietMilliseconds: config.quietMinutes * 60_000 }, now),
    strand: (run, message, now) => strand(run, message, clients, now),
    post: brokerPoster(config.broker, config.brokerToken),
    close: () => fleet.close(),
  }
}

export const { handle, init, shutdown, cors, liveness, readiness } = toFunction('recover', wire)
