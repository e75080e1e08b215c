import type { Cluster, Waker } from '../cluster.ts'
import { type Condition, hasCondition, type KubeObject, keyOf, ownedBy, timestamp, withCondition } from '../object.ts'
import { selects } from '../selector.ts'
import { choose } from './ocm-choose.ts'
import {
  type Decision,
  type ManagedCluster,
  type Placement,
  placementLabel,
  type Score,
  type SetBinding,
} from './ocm-types.ts'

const taint = (name: string) => `cluster.open-cluster-management.io/${name}`

/** OCM's placement controller: chooses clusters for each Placement, and again whenever a cluster or a score changes. */
export function runPlacements(hub: Cluster): void {
  const all = () => hub.store.list('Placement').map(keyOf)
  const ofDecision = ({ metadata }: KubeObject) =>
    (metadata.ownerReferences ?? []).map(({ name }) => `${metadata.namespace}/${name}`)
  const related = {
    ManagedCluster: all,
    ManagedClusterSet: all,
    ManagedClusterSetBinding: all,
    AddOnPlacementScore: all,
    PlacementDecision: ofDecision,
  }
  hub.control<Placement>('Placement', (placement, waker) => reconcile(hub, placement, waker), related)
  hub.control<ManagedCluster>('ManagedCluster', (cluster) => taintUnavailable(hub, cluster))
}

function reconcile(hub: Cluster, placement: Placement, { over }: Waker): void {
  const { store } = hub
  if (placement.metadata.deletionTimestamp || hub.hasFault('decision-never', placement) || !over('decision')) return
  const before = decisionOf(hub, placement)
  const sets = boundSets(hub, placement)
  const inSets = store
    .list<ManagedCluster>('ManagedCluster')
    .filter((cluster) => sets.some((set) => isIn(hub, set, cluster)))
  const names = before?.status?.decisions?.map(({ clusterName }) => clusterName) ?? []
  const chosen = hub.hasFault('decision-empty', placement)
    ? []
    : choose(placement, inSets, {
        before: names,
        scores: store.list<Score>('AddOnPlacementScore'),
        load: loadOf(hub, placement),
      })
  if (!sameDecisions(before?.status?.decisions, chosen)) decide(hub, placement, before, chosen)
  const [satisfied, conditions] = conditionsFor(placement, sets, inSets, chosen)
  store.setStatus(placement, {
    numberOfSelectedClusters: chosen.length,
    decisionGroups: [
      {
        decisionGroupIndex: 0,
        decisionGroupName: '',
        decisions: [`${placement.metadata.name}-decision-1`],
        clusterCount: chosen.length,
      },
    ],
    conditions,
  })
  if (!satisfied) hub.event(placement, 'Warning', 'PlacementUnsatisfied', 'no cluster fits')
}

function decisionOf({ store }: Cluster, { metadata }: Placement): Decision | undefined {
  return store.get<Decision>('PlacementDecision', metadata.namespace ?? '', `${metadata.name}-decision-1`)
}

function decide({ store }: Cluster, placement: Placement, before: Decision | undefined, decisions: unknown[]): void {
  const { name, namespace } = placement.metadata
  const labels = {
    [placementLabel]: name,
    'cluster.open-cluster-management.io/decision-group-index': '0',
    'cluster.open-cluster-management.io/decision-group-name': '',
  }
  const metadata = { name: `${name}-decision-1`, namespace, labels, ownerReferences: [ownedBy(placement)] }
  const decision =
    before ??
    store.create({ apiVersion: 'cluster.open-cluster-management.io/v1beta1', kind: 'PlacementDecision', metadata })
  store.setStatus(decision, { decisions })
}

function sameDecisions(before: unknown[] | undefined, after: unknown[]): boolean {
  return before !== undefined && JSON.stringify(before) === JSON.stringify(after)
}

/** The sets that a Placement may choose from: bound in its namespace, and named by it if it names any. */
function boundSets({ store }: Cluster, { metadata, spec }: Placement): string[] {
  const bound = store
    .list<SetBinding>('ManagedClusterSetBinding', metadata.namespace)
    .map((binding) => binding.spec.clusterSet)
  return bound.filter(
    (set) => store.get('ManagedClusterSet', '', set) && (!spec.clusterSets?.length || spec.clusterSets.includes(set)),
  )
}

function isIn({ store }: Cluster, set: string, { metadata: { labels = {} } }: ManagedCluster): boolean {
  const { clusterSelector } = (store.get('ManagedClusterSet', '', set)?.['spec'] ?? {}) as {
    clusterSelector?: { selectorType: string; labelSelector?: object }
  }
  if (clusterSelector?.selectorType === 'LabelSelector') return selects(clusterSelector.labelSelector ?? {}, labels)
  return labels[taint('clusterset')] === set
}

/** How many decisions of other Placements each cluster has, for the prioritizer Balance. */
function loadOf({ store }: Cluster, { metadata }: Placement): Map<string, number> {
  const load = new Map<string, number>()
  for (const decision of store.list<Decision>('PlacementDecision')) {
    const own =
      decision.metadata.namespace === metadata.namespace && decision.metadata.labels?.[placementLabel] === metadata.name
    for (const { clusterName } of own ? [] : (decision.status?.decisions ?? []))
      load.set(clusterName, (load.get(clusterName) ?? 0) + 1)
  }
  return load
}

function conditionsFor(
  placement: Placement,
  sets: string[],
  inSets: ManagedCluster[],
  chosen: unknown[],
): [boolean, Condition[]] {
  const wanted = placement.spec.numberOfClusters
  const [reason, message] =
    sets.length === 0
      ? ['NoManagedClusterSetBindings', 'No valid ManagedClusterSetBindings found in placement namespace']
      : inSets.length === 0
        ? ['AllManagedClusterSetsEmpty', 'All ManagedClusterSets are empty']
        : chosen.length === 0
          ? ['NoManagedClusterMatched', 'No ManagedCluster matches any of the cluster predicate']
          : wanted !== undefined && chosen.length < wanted
            ? ['NotAllDecisionsScheduled', `${wanted - chosen.length} cluster decisions unscheduled`]
            : ['AllDecisionsScheduled', 'All cluster decisions scheduled']
  const satisfied = reason === 'AllDecisionsScheduled'
  const fine = withCondition(placement.status?.conditions, {
    type: 'PlacementMisconfigured',
    status: 'False',
    reason: 'Succeedconfigured',
    message: 'Placement configurations check pass',
  })
  return [
    satisfied,
    withCondition(fine, { type: 'PlacementSatisfied', status: satisfied ? 'True' : 'False', reason, message }),
  ]
}

/** A cluster that is not available is tainted, which is how Placements get to know. */
function taintUnavailable({ store }: Cluster, cluster: ManagedCluster): void {
  const { conditions } = cluster.status ?? {}
  const wanted = hasCondition(conditions, 'ManagedClusterConditionAvailable', 'False')
    ? taint('unavailable')
    : hasCondition(conditions, 'ManagedClusterConditionAvailable', 'Unknown')
      ? taint('unreachable')
      : undefined
  const ours = [taint('unavailable'), taint('unreachable')]
  const { taints = [] } = cluster.spec
  if (
    taints
      .filter(({ key }) => ours.includes(key))
      .map(({ key }) => key)
      .join() === (wanted ?? '')
  )
    return
  const others = taints.filter(({ key }) => !ours.includes(key))
  const next = wanted === undefined ? others : [...others, { key: wanted, effect: 'NoSelect', timeAdded: timestamp() }]
  store.modify(cluster, (current) => ({ ...current, spec: { ...cluster.spec, taints: next } }))
}
