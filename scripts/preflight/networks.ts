import type { Area } from './area.ts'
import { checkServed, readServed, type Served } from './served.ts'

/** How a machine gets at its networks, on a managed cluster: every interface names a NetworkAttachmentDefinition. */
export const networks: Area<Served[]> = {
  title: 'Networks',
  read: (ask) =>
    readServed(ask, [{ group: 'k8s.cni.cncf.io', version: 'v1', plural: 'network-attachment-definitions' }]),
  check: (served) =>
    checkServed(served, 'install Multus (https://github.com/k8snetworkplumbingwg/multus-cni); OpenShift brings it'),
}
