import type { Decision } from '../hub.ts'
import { type Manifest, managedBy } from '../kubevirt/manifest.ts'
import type { Placement } from '../schema/machine.ts'

/** What OCM is to choose by: a placement that is no fixed cluster. */
export type Choice = Exclude<Placement, { cluster: string }>
type Predicate = NonNullable<Choice['predicates']>[number]
type Prioritizer = NonNullable<Choice['prioritizers']>[number]

/**
 * The name of a run's Placement. A machine's name may be given out again while the hub still shows what OCM decided for
 * the run before, and people have Placements of their own; each run asks under a name that nobody had. OCM labels its
 * decisions with it, so it is no longer than a label.
 */
export const placementName = (machine: string, run: string): string => `${machine.slice(0, 56)}-${run.slice(0, 6)}`

/** So many seconds a cluster may be away and still be chosen. */
const awayFor = 300

/**
 * The Placement that lets OCM choose one cluster. It is asked once, and its answer is pinned in Git: a machine cannot
 * follow a decision that changes later, for its disks cannot. So it bears clusters that are away for a moment, and no others: OCM
 * would choose one that is gone again and again, for nothing comes of what it is chosen for.
 */
export function toPlacement(name: string, choice: Choice, namespace: string): Manifest {
  const { clusterSets = [], predicates = [], prioritizers = [], tolerations = [] } = choice
  return {
    apiVersion: 'cluster.open-cluster-management.io/v1beta1',
    kind: 'Placement',
    metadata: { name, namespace, labels: { ...managedBy } },
    spec: {
      numberOfClusters: 1,
      ...(clusterSets.length > 0 && { clusterSets }),
      ...(predicates.length > 0 && { predicates: predicates.map(toPredicate) }),
      // Exact: with Additive OCM would mix in weights of its own that the request does not show.
      ...(prioritizers.length > 0 && {
        prioritizerPolicy: { mode: 'Exact', configurations: prioritizers.map(toConfiguration) },
      }),
      tolerations: [
        ...['unreachable', 'unavailable'].map((taint) => ({
          key: `cluster.open-cluster-management.io/${taint}`,
          operator: 'Exists',
          tolerationSeconds: awayFor,
        })),
        ...tolerations.map((toleration) => ({ operator: 'Equal', ...toleration })),
      ],
    },
  }
}

function toPredicate({ labels, expressions = [], claims = [] }: Predicate) {
  const labelSelector = {
    ...(labels && { matchLabels: labels }),
    ...(expressions.length > 0 && { matchExpressions: expressions }),
  }
  return {
    requiredClusterSelector: {
      ...(Object.keys(labelSelector).length > 0 && { labelSelector }),
      ...(claims.length > 0 && { claimSelector: { matchExpressions: claims } }),
    },
  }
}

/** A score with a slash is one that an add-on publishes, any other is built into OCM. */
function toConfiguration({ score, weight }: Prioritizer) {
  const [resourceName, scoreName] = score.split('/')
  const scoreCoordinate =
    scoreName === undefined
      ? { type: 'BuiltIn', builtIn: score }
      : { type: 'AddOn', addOn: { resourceName, scoreName } }
  return { scoreCoordinate, weight }
}

/** The cluster that was chosen, or undefined while there is none. */
export const chosen = (decisions: readonly Decision[]): Decision | undefined =>
  decisions.find(({ clusterName }) => clusterName !== '')
