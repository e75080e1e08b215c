import { ocm as group } from '../../shared/clients/kinds.ts'
import { type Answer, known, map } from './answer.ts'
import type { List, Named } from './area.ts'
import type { Asker } from './ask.ts'

/** Which ManagedClusters a Placement may choose: the accepted ones of the sets that are bound to its namespace. */

export interface ManagedCluster extends Named {
  spec?: { hubAcceptsClient?: boolean }
  status?: { conditions?: { type: string; status: string; message?: string }[] }
}

export interface ClusterSet extends Named {
  spec?: {
    clusterSelector?: {
      selectorType?: string
      labelSelector?: { matchLabels?: Record<string, string>; matchExpressions?: unknown[] }
    }
  }
}

export interface Chosen {
  clusters: Answer<ManagedCluster[]>
  sets: Answer<ClusterSet[]>
  /** The names of the sets that are bound to Argo CD's namespace. */
  bound: Answer<string[]>
}

export async function readChosen(ask: Asker, argocd: string): Promise<Chosen> {
  const [clusters, sets, bindings] = await Promise.all([
    ask.get<List<ManagedCluster>>(`/apis/${group}/v1/managedclusters`),
    ask.get<List<ClusterSet>>(`/apis/${group}/v1beta2/managedclustersets`),
    ask.get<List<{ spec: { clusterSet: string } }>>(
      `/apis/${group}/v1beta2/namespaces/${argocd}/managedclustersetbindings`,
    ),
  ])
  return {
    clusters: map(clusters, ({ items }) => items),
    sets: map(sets, ({ items }) => items),
    bound: map(bindings, ({ items }) => items.map(({ spec }) => spec.clusterSet)),
  }
}

export const isAccepted = ({ spec }: Pick<ManagedCluster, 'spec'>) => spec?.hubAcceptsClient === true

/** The clusters that a machine may come to; all accepted ones where it cannot be told which sets are bound, or none is. */
export function choosable({ clusters, sets, bound }: Chosen): Answer<string[]> {
  const names = known(bound) ?? []
  const isOpen = known(sets) === undefined || names.length === 0
  return map(clusters, (all) =>
    all
      .filter((one) => isAccepted(one) && (isOpen || isIn(one, known(sets) ?? [], names)))
      .map(({ metadata }) => metadata.name),
  )
}

/** Whether a cluster is in one of the sets of these names. */
export const isIn = (cluster: ManagedCluster, sets: ClusterSet[], names: string[]): boolean =>
  sets.some((set) => names.includes(set.metadata.name) && holds(set, cluster))

/** Whether a set has a cluster; where it says so in a way that is not understood here, yes. */
function holds({ metadata, spec }: ClusterSet, cluster: ManagedCluster): boolean {
  const labels = cluster.metadata.labels ?? {}
  const { selectorType = 'ExclusiveClusterSetLabel', labelSelector = {} } = spec?.clusterSelector ?? {}
  if (selectorType === 'ExclusiveClusterSetLabel') return labels[`${group}/clusterset`] === metadata.name
  const { matchLabels = {}, matchExpressions = [] } = labelSelector
  return matchExpressions.length > 0 || Object.entries(matchLabels).every(([name, value]) => labels[name] === value)
}
