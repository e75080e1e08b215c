import { brokerPoster } from '../../shared/clients/broker.ts'
import { openClusters } from '../../shared/clients/clusters.ts'
import { openResolver } from '../../shared/clients/dns.ts'
import { makesImage } from '../../shared/lifecycles.ts'
import { toFunction, type Wire } from '../../shared/runtime/function.ts'
import { verifyImage } from './image.ts'
import { verify } from './verify.ts'

/** Waits until the cluster shows what Git says; and looks at the running machine. */
export const wire: Wire = (config) => {
  const { machines, goldenImages } = openClusters({ ...config.kubernetes, argocdNamespace: config.argocd.namespace })
  const settings = {
    rootApplication: config.argocd.rootApplication,
    graceMilliseconds: config.graceSeconds * 1000,
    resolver: openResolver(config.dnsResolvers),
  }
  return {
    step: (run, here) =>
      makesImage(run.lifecycle)
        ? verifyImage(run, { goldenImages, machines }, settings, here)
        : verify(run, machines, settings, here),
    post: brokerPoster(config.broker, config.brokerToken),
  }
}

export const { handle, init, shutdown, cors, liveness, readiness } = toFunction('verify', wire)
