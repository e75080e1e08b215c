import { ocm as group } from '../../shared/clients/kinds.ts'
import { type Answer, known } from './answer.ts'
import type { Area, Names } from './area.ts'
import type { Asker } from './ask.ts'
import { type Chosen, type ClusterSet, isAccepted, isIn, type ManagedCluster, readChosen } from './cluster-sets.ts'
import { advice, type Finding, judge, lacks, ok } from './finding.ts'
import { checkServed, isInstalled, readServed, type Served } from './served.ts'

/** Open Cluster Management on the hub: which clusters there are, whether Placements may choose them, and who knows them. */

const kinds = [
  { group, version: 'v1', plural: 'managedclusters' },
  { group, version: 'v1beta2', plural: 'managedclustersets' },
  { group, version: 'v1beta2', plural: 'managedclustersetbindings' },
  { group, version: 'v1beta1', plural: 'placements' },
  { group, version: 'v1beta1', plural: 'placementdecisions' },
]

export interface OcmFacts extends Chosen {
  served: Served[]
}

export const ocm: Area<OcmFacts> = { title: 'Open Cluster Management', read, check }

async function read(ask: Asker, { argocd }: Names): Promise<OcmFacts> {
  const [served, chosen] = await Promise.all([readServed(ask, kinds), readChosen(ask, argocd)])
  return { served, ...chosen }
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
      const accepted = all.filter(isAccepted)
      if (accepted.length === 0) return none
      return [...all.map(checkCluster), ...checkBinding(accepted, known(sets) ?? [], bound, names.argocd)]
    }),
  ]
}

function checkCluster(cluster: ManagedCluster): Finding {
  const { metadata, status } = cluster
  const { name } = metadata
  if (!isAccepted(cluster))
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
    const out = accepted.filter((cluster) => !isIn(cluster, sets, names))
    const bindings = `ManagedClusterSet ${names.join(', ')} is bound to namespace ${namespace}`
    if (sets.length === 0 || out.length === 0) return ok(bindings)
    const left = out.map(({ metadata }) => metadata.name).join(', ')
    return advice(`${bindings}, but ${left} is in no such set, so that no Placement can choose it`, todo)
  })
}
