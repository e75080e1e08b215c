import { setTimeout as sleep } from 'node:timers/promises'
import type { KubeConfig } from '@kubernetes/client-node'
import { DroverError } from '../errors.ts'
import type { Decision, Hub, HubCondition, ManagedCluster } from '../hub.ts'
import type {
  Application,
  DataVolume,
  ExternalSecret,
  Machines,
  Occupants,
  VirtualMachine,
  VirtualMachineInstance,
} from '../machines.ts'
import { type Source, watchObjects } from './watch.ts'

/** Reads the hub and the managed clusters through one kubeconfig: a context per cluster, named like its ManagedCluster. */

export interface ClustersConfig {
  kubeconfig: string | undefined
  hubContext: string
  argocdNamespace: string
}

interface PlacementObject {
  metadata: { name: string; generation?: number; labels?: Record<string, string> }
  status?: { conditions?: HubCondition[]; decisions?: Decision[] }
}

interface ManagedClusterObject {
  metadata: { name: string }
  spec?: { hubAcceptsClient?: boolean }
  status?: { conditions?: HubCondition[] }
}

const ocm = 'cluster.open-cluster-management.io'

/** How long a kubeconfig is not read again, in milliseconds; its tokens may be rotated. */
const freshFor = 60_000

/** Opens both clients; the kubeconfig is read at the first call and the library loaded then. */
export function openClusters(config: ClustersConfig): { hub: Hub; machines: Machines; occupants: Occupants } {
  const contexts = new Map<string, { loading: Promise<KubeConfig>; since: number }>()
  const context = (name: string): Promise<KubeConfig> => {
    const known = contexts.get(name)
    if (known && Date.now() - known.since < freshFor) return known.loading
    const loading = load(config, name)
    contexts.set(name, { loading, since: Date.now() })
    loading.catch(() => contexts.delete(name))
    return loading
  }
  const onHub = () => context(config.hubContext)

  const machines: Machines = {
    async *watch({ cluster, namespace, name }, signal) {
      const [hub, kubeConfig] = await Promise.all([onHub(), context(cluster)])
      const byLabel = { labelSelector: `drover.dev/machine=${name}` }
      const byName = { fieldSelector: `metadata.name=${name}` }
      const kubevirt = { kubeConfig, group: 'kubevirt.io', version: 'v1', namespace, ...byName }
      const sources: Source[] = [
        {
          kubeConfig: hub,
          group: 'argoproj.io',
          version: 'v1alpha1',
          plural: 'applications',
          namespace: config.argocdNamespace,
          ...byName,
        },
        { ...kubevirt, plural: 'virtualmachines' },
        { ...kubevirt, plural: 'virtualmachineinstances' },
        { kubeConfig, group: 'cdi.kubevirt.io', version: 'v1beta1', plural: 'datavolumes', namespace, ...byLabel },
        {
          kubeConfig,
          group: 'external-secrets.io',
          version: 'v1',
          plural: 'externalsecrets',
          namespace,
          ...byLabel,
          optional: true,
        },
      ]
      for await (const [applications, vms, vmis, disks, secrets] of watchObjects(sources, signal)) {
        yield {
          application: applications?.[0] as Application | undefined,
          machine: vms?.[0] as VirtualMachine | undefined,
          instance: vmis?.[0] as VirtualMachineInstance | undefined,
          disks: (disks ?? []) as DataVolume[],
          secrets: (secrets ?? []) as ExternalSecret[],
        }
      }
    },
    refresh: async (application) => void (await refresh(await onHub(), config.argocdNamespace, application)),
    settle: async (application, signal) => settle(await onHub(), config.argocdNamespace, application, signal),
  }

  const hub: Hub = {
    async managedCluster(name) {
      const { CustomObjectsApi } = await import('@kubernetes/client-node')
      const api = (await onHub()).makeApiClient(CustomObjectsApi)
      const found = await orNone(
        api.getClusterCustomObject({ group: ocm, version: 'v1', plural: 'managedclusters', name }),
      )
      return found === undefined ? undefined : toManagedCluster(found as ManagedClusterObject)
    },
    async *watchPlacement(namespace, name, signal) {
      const common = { kubeConfig: await onHub(), group: ocm, version: 'v1beta1', namespace }
      const sources: Source[] = [
        { ...common, plural: 'placements', fieldSelector: `metadata.name=${name}` },
        { ...common, plural: 'placementdecisions', labelSelector: `${ocm}/placement=${name}` },
      ]
      for await (const [placements, decisions] of watchObjects(sources, signal)) {
        const [placement] = (placements ?? []) as PlacementObject[]
        const chosen = ((decisions ?? []) as PlacementObject[]).flatMap((one) => one.status?.decisions ?? [])
        yield placement && {
          generation: placement.metadata.generation ?? 0,
          conditions: placement.status?.conditions ?? [],
          decisions: chosen,
        }
      }
    },
    refresh: async (namespace, application) => void (await refresh(await onHub(), namespace, application)),
  }
  const occupants: Occupants = {
    async of({ cluster, namespace, name }) {
      const argocd = { group: 'argoproj.io', version: 'v1alpha1', plural: 'applications' }
      const kubevirt = { group: 'kubevirt.io', version: 'v1', plural: 'virtualmachines' }
      const [application, machine] = await Promise.all([
        read(await onHub(), { ...argocd, namespace: config.argocdNamespace, name }),
        read(await context(cluster), { ...kubevirt, namespace, name }),
      ])
      return { application: application as Application | undefined, machine: machine as VirtualMachine | undefined }
    },
  }
  return { hub, machines, occupants }
}

/** One object, or undefined when there is none. */
async function read(
  config: KubeConfig,
  what: { group: string; version: string; plural: string; namespace: string; name: string },
): Promise<unknown> {
  const { CustomObjectsApi } = await import('@kubernetes/client-node')
  return orNone(config.makeApiClient(CustomObjectsApi).getNamespacedCustomObject(what))
}

const toManagedCluster = ({ metadata, spec, status }: ManagedClusterObject): ManagedCluster => ({
  name: metadata.name,
  accepted: spec?.hubAcceptsClient === true,
  conditions: status?.conditions ?? [],
})

async function load({ kubeconfig }: ClustersConfig, context: string): Promise<KubeConfig> {
  const { KubeConfig } = await import('@kubernetes/client-node')
  const config = new KubeConfig()
  try {
    if (kubeconfig === undefined) config.loadFromDefault()
    else config.loadFromFile(kubeconfig)
  } catch (cause) {
    throw new DroverError('broken', `Cannot reach cluster "${context}": the kubeconfig cannot be read`, { cause })
  }
  if (!config.getContextObject(context)) {
    throw new DroverError('broken', `Cannot reach cluster "${context}": the kubeconfig has no context of that name`)
  }
  config.setCurrentContext(context)
  return connectingOnce(config)
}

/** The library would make a new connection pool, and so a new TLS connection, for every request. */
function connectingOnce(config: KubeConfig): KubeConfig {
  const library = config as unknown as { createDispatcher(...options: unknown[]): unknown }
  const create = library.createDispatcher.bind(library)
  let pool: unknown
  library.createDispatcher = (...options) => {
    pool ??= create(...options)
    return pool
  }
  return config
}

const refreshAnnotation = 'argocd.argoproj.io/refresh'

/** The part of an Application that tells whether a refresh is over. */
interface Refreshed {
  metadata: { annotations?: Record<string, string> }
  operation?: unknown
  status?: { reconciledAt?: string; operationState?: { phase?: string }; conditions?: { type: string }[] }
}

/** Argo CD takes the annotation off when it has compared; where others keep asking, the time of comparison moves on. */
async function settle(config: KubeConfig, namespace: string, name: string, signal: AbortSignal): Promise<boolean> {
  const { CustomObjectsApi } = await import('@kubernetes/client-node')
  const api = config.makeApiClient(CustomObjectsApi)
  const asked = await refresh(config, namespace, name)
  for (
    let seen = asked;
    seen;
    seen = (await orNone(api.getNamespacedCustomObject(application(namespace, name)))) as typeof seen
  ) {
    const isRead = !seen.status?.conditions?.some(({ type }) => type === 'ComparisonError')
    const isCompared = isRead && seen.metadata.annotations?.[refreshAnnotation] === undefined
    const isLater = (seen.status?.reconciledAt ?? '') > (asked?.status?.reconciledAt ?? '')
    const isApplying = seen.operation !== undefined || seen.status?.operationState?.phase === 'Running'
    if ((isCompared || isLater) && !isApplying) return true
    if (signal.aborted) return false
    await sleep(100, undefined, { signal }).catch(() => undefined)
  }
  return true
}

const application = (namespace: string, name: string) => ({
  group: 'argoproj.io',
  version: 'v1alpha1',
  plural: 'applications',
  namespace,
  name,
})

/** The refresh annotation wakes Argo CD, which else looks at Git every few minutes. */
async function refresh(config: KubeConfig, namespace: string, name: string): Promise<Refreshed | undefined> {
  const { CustomObjectsApi, PatchStrategy, setHeaderOptions } = await import('@kubernetes/client-node')
  const body = { metadata: { annotations: { [refreshAnnotation]: 'normal' } } }
  const what = { ...application(namespace, name), body }
  const options = setHeaderOptions('Content-Type', PatchStrategy.MergePatch)
  return (await orNone(config.makeApiClient(CustomObjectsApi).patchNamespacedCustomObject(what, options))) as
    | Refreshed
    | undefined
}

/** Undefined for 404; what else fails is broken. */
async function orNone<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (cause) {
    if ((cause as { code?: unknown }).code === 404) return undefined
    throw new DroverError('broken', 'Cannot read a cluster', { cause })
  }
}
