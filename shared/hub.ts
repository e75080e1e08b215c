import type { Seen } from './machines.ts'

/** What the hub of Open Cluster Management says, as far as the choice of a cluster needs it. */

/** One entry of a PlacementDecision. */
export interface Decision {
  clusterName: string
  reason: string
}

/** A condition of a Placement. */
export interface HubCondition {
  type: string
  status: 'True' | 'False' | 'Unknown'
  reason?: string
  message?: string
  observedGeneration?: number
}

/** A Placement as the hub holds it, and the entries of all of its PlacementDecisions. */
export interface PlacementState extends Seen {
  generation: number
  conditions: HubCondition[]
  decisions: Decision[]
}

export interface ManagedCluster {
  /** `spec.hubAcceptsClient`. */
  accepted: boolean
}

export interface Hub {
  /** The ManagedCluster of this name, or undefined when the hub has none. */
  managedCluster(name: string): Promise<ManagedCluster | undefined>
  /**
   * A Placement as it is now (undefined while there is none), and again whenever it or one of its PlacementDecisions
   * changes. It goes on over broken connections, and ends without an error once the signal is aborted. A hub that
   * cannot be asked at all throws.
   */
  watchPlacement(namespace: string, name: string, signal: AbortSignal): AsyncIterable<PlacementState | undefined>
  /** Makes Argo CD look at Git now, by the refresh annotation; nothing when there is no such Application. */
  refresh(application: string): Promise<void>
}
