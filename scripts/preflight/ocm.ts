import { type Answer, known, map } from './answer.ts'
import type { Area, List, Named, Names } from './area.ts'
import type { Asker } from './ask.ts'
import { advice, type Finding, judge, lacks, ok } from './finding.ts'
import { checkServed, isInstalled, readServed, type Served } from './served.ts'

/** Open Cluster Management on the hub: which clusters there are, whether Placements may choose them, and who knows them. */

const group = 'cluster.open-cluster-management.io'
const kinds = [
  { group, version: 'v1', plural: 'managedclusters' },
  { group, version: 'v1beta2', plural: 'managedclustersets' },
  { group, version: 'v1beta2', plural: 'managedclustersetbindings' },
  { group, version: 'v1beta1', plural: 'placements' },
  { group, version: 'v1beta1', plural: 'placementdecisions' },
]

interface ManagedCluster extends Named {
  spec?: { hubAcceptsClient?: boolean }
  status?: { conditions?: { type: string; status: string; message?: string }[] }
}

interface ClusterSet extends Named {
  spec?: {
    clusterSelector?: {
      selectorType?: string
      labelSelector?: { matchLabels?: Record<string, string>; matchExpressions?: unknown[] }
    }
  }
}

export interface OcmFacts {
  served: Served[]
  clusters: Answer<ManagedCluster[]>
  sets: Answer<ClusterSet[]>
  /** The names of the sets that are bound to Argo CD's namespace. */
  bound: Answer<string[]>
}

export const ocm: Area<OcmFacts> = { title: 'Open Cluster Management', read, check }

async function read(ask: Asker, { argocd }: Names): Promise<OcmFacts> {
  const [served, clusters, sets, bindings] = await Promise.all([
    readServed(ask, kinds),
    ask.get<List<ManagedCluster>>(`/apis/${group}/v1/managedclusters`),
    ask.get<List<ClusterSet>>(`/apis/${group}/v1beta2/managedclustersets`),
    ask.get<List<{ spec: { clusterSet: string } }>>(
      `/apis/${group}/v1beta2/namespaces/${argocd}/managedclustersetbindings`,
    ),
  ])
  return {
    served,
    clusters: map(clusters, ({ items }) => items),
    sets: map(sets, ({ items }) => items),
    bound: map(bindings, ({ items }) => items.map(({ spec }) => spec.clusterSet)),
  }
}

function check({ served, clusters, sets, bound }: OcmFacts, names: Names): Finding[] {
  const there = checkServed(
    served,
    'install Open Cluster Management or Red Hat Advanced Cluster Management: https://open-cluster-management.io/docs/getting-started/',
  )
  if (!isInstalled(served)) return there
  const none = lacks('It has no ManagedCluster', 'join one: clusteradm join and accept')
  return [
    ...there,
    ...judge(clusters, 'ManagedClusters', none, (all) => {
      const accepted = all.filter(({ spec }) => spec?.hubAcceptsClient === true)
      if (accepted.length === 0) return none
      return [...all.map(checkCluster), ...checkBinding(accepted, known(sets) ?? [], bound, names.argocd)]
    }),
  ]
}

function checkCluster({ metadata: { name }, spec, status }: ManagedCluster): Finding {
  if (spec?.hubAcceptsClient !== true)
    return advice(`ManagedCluster ${name} is not accepted`, `clusteradm accept --clusters ${name}`)
  const available = status?.conditions?.find(({ type }) => type === 'ManagedClusterConditionAvailable')
  if (available?.status === 'True') return ok(`ManagedCluster ${name} is accepted and available`)
  return advice(
    `ManagedCluster ${name} is not available: ${available?.message || 'its agent has not joined'}`,
    `look at its agent: kubectl get pods -n open-cluster-management-agent, on ${name}`,
  )
}

function checkBinding(
  accepted: ManagedCluster[],
  sets: ClusterSet[],
  bound: Answer<string[]>,
  namespace: string,
): Finding[] {
  const binding = { apiVersion: `${group}/v1beta2`, kind: 'ManagedClusterSetBinding' }
  const object = { ...binding, metadata: { name: 'global', namespace }, spec: { clusterSet: 'global' } }
  const todo = `echo '${JSON.stringify(object)}' | kubectl apply -f -`
  const unbound = lacks(
    `No ManagedClusterSet is bound to namespace ${namespace}, where Placements live: none of them can choose a cluster`,
    todo,
  )
  return judge(bound, 'ManagedClusterSetBindings', unbound, (names) => {
    if (names.length === 0) return unbound
    const here = sets.filter(({ metadata }) => names.includes(metadata.name))
    const out = accepted.filter((cluster) => !here.some((set) => holds(set, cluster)))
    const bindings = `ManagedClusterSet ${names.join(', ')} is bound to namespace ${namespace}`
    if (sets.length === 0 || out.length === 0) return ok(bindings)
    const left = out.map(({ metadata }) => metadata.name).join(', ')
    return advice(`${bindings}, but ${left} is in no such set, so that no Placement can choose it`, todo)
  })
}

/** Whether a set has a cluster; where it says so in a way that is not understood here, yes. */
function holds({ metadata, spec }: ClusterSet, cluster: ManagedCluster): boolean {
  const labels = cluster.metadata.labels ?? {}
  const { selectorType = 'ExclusiveClusterSetLabel', labelSelector = {} } = spec?.clusterSelector ?? {}
  if (selectorType === 'ExclusiveClusterSetLabel') return labels[`${group}/clusterset`] === metadata.name
  const { matchLabels = {}, matchExpressions = [] } = labelSelector
  return matchExpressions.length > 0 || Object.entries(matchLabels).every(([name, value]) => labels[name] === value)
}
