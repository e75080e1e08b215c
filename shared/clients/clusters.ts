import type { GoldenImages } from '../golden-images.ts'
import type { Hub } from '../hub.ts'
import type { Machines, Occupants } from '../machines.ts'
import { type AccessConfig, openAccess } from './access.ts'
import { openGoldenImages } from './golden-images.ts'
import { openHub } from './hub.ts'
import { openMachines } from './machines.ts'
import { openOccupants } from './occupants.ts'
import { openWaker } from './refresh.ts'

/** Reads the hub and the managed clusters; a managed cluster's context is named like its ManagedCluster. */

export interface ClustersConfig extends AccessConfig {
  argocdNamespace: string
}

export interface Clusters {
  hub: Hub
  machines: Machines
  occupants: Occupants
  goldenImages: GoldenImages
}

/** Opens the clients; nothing is read before their first use. */
export function openClusters(config: ClustersConfig): Clusters {
  const to = openAccess(config)
  const hub = { access: to(config.hubContext), argocdNamespace: config.argocdNamespace }
  const wake = openWaker(hub)
  return {
    hub: openHub(hub.access, wake),
    machines: openMachines(to, hub, wake),
    occupants: openOccupants(to, hub),
    goldenImages: openGoldenImages(to, hub),
  }
}
