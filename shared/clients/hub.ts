import type { Decision, Hub, HubCondition } from '../hub.ts'
import { type Access, getClusterObject } from './access.ts'
import { kinds, ocm } from './kinds.ts'
import { type Source, watchObjects } from './watch.ts'

interface ManagedClusterObject {
  spec?: { hubAcceptsClient?: boolean }
}

interface PlacementObject {
  metadata: { name: string; generation?: number; labels?: Record<string, string> }
  status?: { conditions?: HubCondition[]; decisions?: Decision[] }
}

/** What OCM says on the hub. */
export const openHub = (hub: Access, wake: Hub['refresh']): Hub => ({
  async managedCluster(name) {
    const found = await getClusterObject<ManagedClusterObject>(hub, { ...kinds.managedClusters, name })
    return found && { accepted: found.spec?.hubAcceptsClient === true }
  },
  async *watchPlacement(namespace, name, signal) {
    const sources: Source[] = [
      { access: hub, ...kinds.placements, namespace, fieldSelector: `metadata.name=${name}` },
      { access: hub, ...kinds.placementDecisions, namespace, labelSelector: `${ocm}/placement=${name}` },
    ]
    for await (const { objects, isStale } of watchObjects(sources, signal)) {
      const [placements, decisions] = objects
      const [placement] = (placements ?? []) as PlacementObject[]
      const chosen = ((decisions ?? []) as PlacementObject[]).flatMap((one) => one.status?.decisions ?? [])
      yield placement && {
        generation: placement.metadata.generation ?? 0,
        conditions: placement.status?.conditions ?? [],
        decisions: chosen,
        ...(isStale && { isStale }),
      }
    }
  },
  refresh: wake,
})
