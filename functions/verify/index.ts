import { brokerPoster } from '../../shared/clients/broker.ts'
import { openClusters } from '../../shared/clients/clusters.ts'
import { openResolver } from '../../shared/clients/dns.ts'
import { toFunction, type Wire } from '../../shared/runtime/function.ts'
import { verifyStep } from './step.ts'

/** Waits until the cluster shows what Git says; and looks at the running machine. */
export const wire: Wire = (config, log) => {
  const clients = openClusters({ ...config.kubernetes, argocdNamespace: config.argocd.namespace, log })
  const settings = {
    rootApplication: config.argocd.rootApplication,
    graceMilliseconds: config.graceSeconds * 1000,
    resolver: openResolver(config.dnsResolvers),
  }
  return {
    step: verifyStep(clients, settings),
    post: brokerPoster(config.broker, config.brokerToken),
  }
}

export const { handle, init, shutdown, cors, liveness, readiness } = toFunction('verify', wire)
