import { quantity } from '../quantity.ts'
import { selects } from '../selector.ts'
import type { ManagedCluster, Placement, Prioritizer, Score, Taint, Toleration } from './ocm-types.ts'

interface Knowledge {
  /** What was chosen before, for the prioritizer Steady. */
  before: string[]
  scores: Score[]
  /** Decisions of other Placements per cluster, for the prioritizer Balance. */
  load: Map<string, number>
}

/** The clusters that a Placement gets, the best first. */
export function choose(
  placement: Placement,
  clusters: ManagedCluster[],
  known: Knowledge,
): { clusterName: string; reason: string }[] {
  const { spec } = placement
  const fitting = clusters.filter(
    (cluster) => isTolerated(cluster, spec.tolerations ?? [], known.before) && meetsAny(cluster, spec.predicates ?? []),
  )
  const scores = total(placement, fitting, known)
  const ranked = fitting.sort(
    (a, b) => (scores.get(b) ?? 0) - (scores.get(a) ?? 0) || (a.metadata.name < b.metadata.name ? -1 : 1),
  )
  const chosen = ranked.slice(0, spec.numberOfClusters ?? ranked.length).map(({ metadata }) => metadata.name)
  return chosen.sort().map((clusterName) => ({ clusterName, reason: '' }))
}

function meetsAny(
  { metadata, status }: ManagedCluster,
  predicates: NonNullable<Placement['spec']['predicates']>,
): boolean {
  const claims = Object.fromEntries((status?.clusterClaims ?? []).map(({ name, value }) => [name, value]))
  const fits = ({ requiredClusterSelector: required }: (typeof predicates)[number]) =>
    selects(required?.labelSelector ?? {}, metadata.labels ?? {}) && selects(required?.claimSelector ?? {}, claims)
  return predicates.length === 0 || predicates.some(fits)
}

function isTolerated({ metadata, spec }: ManagedCluster, tolerations: Toleration[], before: string[]): boolean {
  return (spec.taints ?? []).every((taint) => {
    if (taint.effect === 'PreferNoSelect' || (taint.effect === 'NoSelectIfNew' && before.includes(metadata.name)))
      return true
    return tolerations.some((toleration) => tolerates(toleration, taint))
  })
}

function tolerates(
  { key, operator = 'Equal', value = '', effect, tolerationSeconds }: Toleration,
  taint: Taint,
): boolean {
  if ((key && key !== taint.key) || (effect && effect !== taint.effect)) return false
  if (operator === 'Equal' && value !== (taint.value ?? '')) return false
  const over = Date.parse(taint.timeAdded ?? '') + (tolerationSeconds ?? Number.POSITIVE_INFINITY) * 1000 < Date.now()
  return tolerationSeconds === undefined || !over
}

/** Additive: Balance and Steady count 1 unless configured; Exact: only what is configured counts. */
function total({ spec }: Placement, clusters: ManagedCluster[], known: Knowledge): Map<ManagedCluster, number> {
  const { mode = 'Additive', configurations = [] } = spec.prioritizerPolicy ?? {}
  const usual: Prioritizer[] = ['Balance', 'Steady'].map((builtIn) => ({
    scoreCoordinate: { type: 'BuiltIn', builtIn },
    weight: 1,
  }))
  const missing = usual.filter(
    (one) => !configurations.some((other) => other.scoreCoordinate.builtIn === one.scoreCoordinate.builtIn),
  )
  const prioritizers = mode === 'Exact' ? configurations : [...configurations, ...missing]
  const sums = new Map(clusters.map((cluster) => [cluster, 0]))
  for (const { scoreCoordinate, weight = 1 } of prioritizers) {
    const raw = clusters.map((cluster) => score(scoreCoordinate, cluster, known))
    const scaled = scoreCoordinate.builtIn?.startsWith('Resource') ? spread(raw) : raw
    clusters.forEach((cluster, n) => void sums.set(cluster, (sums.get(cluster) ?? 0) + weight * (scaled[n] ?? 0)))
  }
  return sums
}

/** One prioritizer's score of a cluster, -100 to 100; for resources the amount, which is put between those bounds after. */
function score(
  { builtIn, addOn }: Prioritizer['scoreCoordinate'],
  { metadata, status }: ManagedCluster,
  { before, scores, load }: Knowledge,
): number {
  if (addOn) return addOnScore(addOn, metadata.name, scores)
  switch (builtIn) {
    case 'Steady':
      return before.includes(metadata.name) ? 100 : 0
    case 'Balance':
      return 100 - (200 * (load.get(metadata.name) ?? 0)) / Math.max(1, ...load.values())
    case 'ResourceAllocatableCPU':
      return quantity(status?.allocatable?.['cpu'] ?? '0')
    case 'ResourceAllocatableMemory':
      return quantity(status?.allocatable?.['memory'] ?? '0')
    default:
      return 0
  }
}

/** An expired score counts nothing. */
function addOnScore(
  { resourceName, scoreName }: { resourceName: string; scoreName: string },
  cluster: string,
  scores: Score[],
): number {
  const found = scores.find(({ metadata }) => metadata.name === resourceName && metadata.namespace === cluster)?.status
  if (found?.validUntil !== undefined && Date.parse(found.validUntil) < Date.now()) return 0
  return found?.scores?.find(({ name }) => name === scoreName)?.value ?? 0
}

function spread(amounts: number[]): number[] {
  const least = Math.min(...amounts)
  const range = Math.max(...amounts) - least
  return amounts.map((amount) => (range === 0 ? 100 : (200 * (amount - least)) / range - 100))
}
