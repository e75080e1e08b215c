/**
 * A hub and some managed clusters, simulated in this process: enough of the Kubernetes API and of the controllers that
 * Drover works with for a whole life of a virtual machine, with no machine behind it.
 *
 * | part (files)               | simulated                                                    | not simulated                         |
 * |----------------------------|--------------------------------------------------------------|---------------------------------------|
 * | API server (api/, store)   | discovery, list, watch with resume and bookmarks, create,    | protobuf, schema validation,          |
 * |                            | replace, patch (merge, JSON, apply), delete with finalizers  | permissions behind the token,         |
 * |                            | and owners, /status, selectors, pages, tables for kubectl,   | conflicts between managers, lists     |
 * |                            | `Status` errors, one token per cluster, TLS on loopback,     | merged by key, subresources,          |
 * |                            | OpenAPI v3 of restores, as far as the played KubeVirt has it | OpenAPI of other kinds                |
 * | kinds (kinds)              | those of the table; all others are 404                       | CustomResourceDefinitions             |
 * | Argo CD (argocd*)          | Applications over folders of YAML: compare, sync, retry,     | Helm, Kustomize, hooks, waves,        |
 * |                            | prune, self-heal, cascade, refresh, health, object options,  | windows, projects' rules,             |
 * |                            | client- and server-side apply, replacing                     | ApplicationSets, jq expressions       |
 * | Placements (ocm*)          | sets, predicates, taints, prioritizers, decisions            | spread, decision groups, CEL          |
 * | nodes (kubelet, job*)      | three nodes, pods of guests and Jobs, retries, deadlines,    | images, logs, restarts in a pod,      |
 * |                            | termination messages, disks that another node has            | parallel Jobs, CronJobs               |
 * | storage (claims, volume-*) | both binding modes, growing, snapshots, what is on a disk    | any byte, quotas, volumes by hand     |
 * | CDI (cdi*)                 | imports, clones of claims and snapshots, blank disks,        | registries: a cron's digest is        |
 * |                            | uploads, DataSources, import crons                           | annotated; populators, checkpoints    |
 * | KubeVirt (vm*, guest,      | admission, states of machine and instance in their order,    | hot plug, start and stop by its own   |
 * |   launcher, migration)     | pods, addresses from network data or answer file, the agent, | API, changes without a restart,       |
 * |                            | live migration                                               | evictions                             |
 * | snapshots (snapshot*,      | of machines that run or not; restores in place, under new    | overrides by volume, memory dumps,    |
 * |   restore*)                | names, into a new machine; the locks that both hold          | persistent TPM                        |
 * | External Secrets and DNS   | Secrets from templates with made-up values, records seen     | providers, name servers               |
 *
 * Faults: `local.drover.dev/fault: <name>[,…]` on an object (see faults.ts), or `faults.add` of what is answered here.
 * No byte of a disk is there, but a claim says in `local.drover.dev/content` what is on it: an import and a clone set that, a
 * Job that could write adds its name, a restore brings it back. A Job's template says in `local.drover.dev/says` (and, where
 * it is made to fail, `local.drover.dev/fails-with`) what its pod's termination message is; `perform` says it for a test.
 */
import { type Identity, newIdentity, type Served, serve } from './api/serve.ts'
import { type Bootstrap, rootApplication } from './bootstrap.ts'
import { Cluster } from './cluster.ts'
import { type Repository, runArgocd } from './controllers/argocd.ts'
import { runCdi } from './controllers/cdi.ts'
import { bindClaims } from './controllers/claims.ts'
import { runCore } from './controllers/core.ts'
import { runExternalDns, runExternalSecrets } from './controllers/external.ts'
import { collectGarbage } from './controllers/garbage.ts'
import { runJobs } from './controllers/job.ts'
import type { Perform } from './controllers/job-types.ts'
import { runPods } from './controllers/kubelet.ts'
import { runMigrations } from './controllers/migration.ts'
import { runPlacements } from './controllers/ocm.ts'
import { runRestores } from './controllers/restore.ts'
import { runSnapshots } from './controllers/snapshot.ts'
import { runMachines } from './controllers/vm.ts'
import { runInstances } from './controllers/vmi.ts'
import { type FaultRule, Faults } from './faults.ts'
import type { Kubeconfig } from './kubeconfig.ts'
import type { NewObject } from './object.ts'
import { type Delays, Pace } from './pace.ts'
import { load, save } from './saved.ts'
import { type ClusterTraits, ensure, seedHub, seedManaged, usualClusters } from './seed.ts'
import type { Store } from './store.ts'

export interface ClustersOptions {
  /** The fleet's Git repository, or several. */
  repository: Repository | Repository[]
  /** Where the clusters are kept between two starts; nowhere when left out. */
  directory?: string | undefined
  /** The managed clusters, by name or with labels and size. */
  clusters?: (string | ClusterTraits)[] | undefined
  /** Ports by cluster name (the hub is `hub`); free ones when left out. */
  ports?: Record<string, number> | undefined
  /** One of before, for a start over the same directory; a new one when left out. */
  identity?: Identity | undefined
  /** How long things take: 0 to 1, or each step by itself. */
  delays?: number | Delays | undefined
  /** Milliseconds between Argo CD's own looks at Git. */
  polling?: number | undefined
  /** Starts with the root Application `drover-hub`, which applies the folder `hub` to the hub. */
  bootstrap?: Bootstrap | undefined
  /** More objects that a cluster has from the start, by cluster name. */
  seed?: Record<string, NewObject[]> | undefined
  /** Where to write the kubeconfig, and which context is its current one. */
  kubeconfigPath?: string | undefined
  currentContext?: string | undefined
  /** How the work of Jobs ends, where their annotations are not enough. */
  perform?: Perform | undefined
  /** What goes wrong from the first moment on. */
  faults?: readonly FaultRule[] | undefined
  /** How many changes a watch can go back. */
  history?: number | undefined
  /** Told of what went wrong inside a controller; it is tried again anyway. */
  onError?: ((error: unknown) => void) | undefined
}

export interface Clusters {
  names: string[]
  kubeconfig: Kubeconfig
  faults: Faults
  /** A cluster's objects, for tests to look at. */
  store(cluster: string): Store
  save(): Promise<void>
  /** Ends the API servers with all of their connections, while the controllers go on; serves at the same ports again once that is over. */
  restartServers(meanwhile: () => Promise<unknown>): Promise<void>
  /** Ends all controllers, with all that they remember, while the API goes on; others begin once that is over. */
  restartControllers(meanwhile: () => Promise<unknown>): Promise<void>
  /** Saves where there is a directory, and leaves nothing running. */
  close(): Promise<void>
}

/** Starts the hub and the managed clusters, each on a loopback port of its own; a context is named as its cluster. */
export async function startClusters(options: ClustersOptions): Promise<Clusters> {
  const { directory, delays, onError = () => undefined, seed = {} } = options
  const traits = (options.clusters ?? usualClusters).map((one) =>
    typeof one === 'string' ? (usualClusters.find(({ name }) => name === one) ?? { name: one }) : one,
  )
  const repositories = Array.isArray(options.repository) ? options.repository : [options.repository]
  const faults = new Faults()
  for (const fault of options.faults ?? []) faults.add(fault)
  const pace = new Pace(typeof delays === 'number' ? { scale: delays } : delays)
  const clusters = new Map<string, Cluster>()
  for (const name of ['hub', ...traits.map((one) => one.name)]) {
    if (clusters.has(name))
      throw new Error(`Cannot start cluster ${name}: there is one already, wanted names that differ`)
    const saved = directory === undefined ? undefined : await load(directory, name)
    const role = name === 'hub' ? 'hub' : 'managed'
    const { kubevirt } = traits.find((one) => one.name === name) ?? {}
    clusters.set(name, new Cluster({ name, role, kubevirt, faults, pace, saved, onError, history: options.history }))
  }
  const stop = () => {
    for (const cluster of clusters.values()) cluster.close()
  }
  const start = () => {
    for (const cluster of clusters.values())
      cluster.role === 'hub' ? runHub(cluster, clusters, traits, repositories, options) : runManaged(cluster, options)
  }
  try {
    start()
    for (const [name, objects] of Object.entries(seed)) ensure(named(clusters, name), objects)
    ensure(named(clusters, 'hub'), rootApplication(options.bootstrap, repositories))
    const identity = options.identity ?? newIdentity([...clusters.keys()])
    const serveAt = (ports: ClustersOptions['ports']) =>
      serve([...clusters.values()], faults, { ...options, identity, ports })
    const served = await serveAt(options.ports)
    return { ...running(clusters, directory, { start, stop }, served, serveAt), faults }
  } catch (error) {
    stop()
    throw error
  }
}

function running(
  clusters: Map<string, Cluster>,
  directory: string | undefined,
  { start, stop }: { start: () => void; stop: () => void },
  first: Served,
  serveAt: (ports: Record<string, number>) => Promise<Served>,
) {
  const { kubeconfig } = first
  let served = first
  const store = (name: string) => named(clusters, name).store
  const saveAll = async () => {
    if (directory !== undefined)
      await Promise.all([...clusters].map(([name, cluster]) => save(directory, name, cluster.store.save())))
  }
  return {
    names: [...clusters.keys()].filter((name) => name !== 'hub'),
    kubeconfig,
    store,
    save: saveAll,
    restartServers: async (meanwhile: () => Promise<unknown>) => {
      await served.close()
      await meanwhile()
      served = await serveAt(portsOf(kubeconfig))
    },
    restartControllers: async (meanwhile: () => Promise<unknown>) => {
      stop()
      await meanwhile()
      for (const cluster of clusters.values()) cluster.store.admitAnything()
      start()
    },
    close: async () => {
      stop()
      await Promise.all([served.close(), saveAll()])
    },
  }
}

const portsOf = ({ clusters }: Kubeconfig): Record<string, number> =>
  Object.fromEntries(clusters.map(({ name, cluster }) => [name, Number(new URL(cluster.server).port)]))

function named(clusters: Map<string, Cluster>, name: string): Cluster {
  const cluster = clusters.get(name)
  if (!cluster) throw new Error(`Cannot find cluster ${name}: there are ${[...clusters.keys()].join(', ')}`)
  return cluster
}

function runHub(
  hub: Cluster,
  clusters: Map<string, Cluster>,
  traits: ClusterTraits[],
  repositories: Repository[],
  { polling = 180_000 }: ClustersOptions,
): void {
  collectGarbage(hub)
  runCore(hub)
  seedHub(hub, traits)
  runPlacements(hub)
  runArgocd(hub, clusters, { repositories, polling })
}

function runManaged(cluster: Cluster, { perform }: ClustersOptions): void {
  collectGarbage(cluster)
  runCore(cluster)
  bindClaims(cluster)
  runCdi(cluster)
  runMachines(cluster)
  runInstances(cluster)
  runMigrations(cluster)
  runSnapshots(cluster)
  runRestores(cluster)
  runJobs(cluster)
  runPods(cluster, perform)
  runExternalSecrets(cluster)
  runExternalDns(cluster)
  seedManaged(cluster)
}
