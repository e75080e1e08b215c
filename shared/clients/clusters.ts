import { setTimeout as sleep } from 'node:timers/promises'
import type { CustomObjectsApi } from '@kubernetes/client-node'
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
import { type Access, codeOf, openAccess } from './access.ts'
import type { KubeconfigSettings } from './kubeconfig.ts'
import { type Source, watchObjects } from './watch.ts'

/** Reads the hub and the managed clusters; a managed cluster's context is named like its ManagedCluster. */

export interface ClustersConfig extends KubeconfigSettings {
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

/** Opens the clients; nothing is read before their first use. */
export function openClusters(config: ClustersConfig): { hub: Hub; machines: Machines; occupants: Occupants } {
  const to = openAccess(config)
  const onHub = to(config.hubContext)

  const machines: Machines = {
    async *watch({ cluster, namespace, name }, signal) {
      const access = to(cluster)
      const byLabel = { labelSelector: `drover.dev/machine=${name}` }
      const byName = { fieldSelector: `metadata.name=${name}` }
      const kubevirt = { access, group: 'kubevirt.io', version: 'v1', namespace, ...byName }
      const sources: Source[] = [
        {
          access: onHub,
          group: 'argoproj.io',
          version: 'v1alpha1',
          plural: 'applications',
          namespace: config.argocdNamespace,
          ...byName,
        },
        { ...kubevirt, plural: 'virtualmachines' },
        { ...kubevirt, plural: 'virtualmachineinstances' },
        { access, group: 'cdi.kubevirt.io', version: 'v1beta1', plural: 'datavolumes', namespace, ...byLabel },
        {
          access,
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
    refresh: async (application) => wake(onHub, config.argocdNamespace, application),
    settle: async (application, signal) => settle(onHub, config.argocdNamespace, application, signal),
  }

  const hub: Hub = {
    async managedCluster(name) {
      const what = { group: ocm, version: 'v1', plural: 'managedclusters', name }
      const found = await ask(onHub, (api) => api.getClusterCustomObject(what))
      return found === undefined ? undefined : toManagedCluster(found as ManagedClusterObject)
    },
    async *watchPlacement(namespace, name, signal) {
      const common = { access: onHub, group: ocm, version: 'v1beta1', namespace }
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
    refresh: async (namespace, application) => wake(onHub, namespace, application),
  }
  const occupants: Occupants = {
    async of({ cluster, namespace, name }) {
      const machine = { group: 'kubevirt.io', version: 'v1', plural: 'virtualmachines', namespace, name }
      const [found, same] = await Promise.all([
        ask(onHub, (api) => api.getNamespacedCustomObject(application(config.argocdNamespace, name))),
        ask(to(cluster), (api) => api.getNamespacedCustomObject(machine)),
      ])
      return { application: found as Application | undefined, machine: same as VirtualMachine | undefined }
    },
  }
  return { hub, machines, occupants }
}

const toManagedCluster = ({ metadata, spec, status }: ManagedClusterObject): ManagedCluster => ({
  name: metadata.name,
  accepted: spec?.hubAcceptsClient === true,
  conditions: status?.conditions ?? [],
})

const refreshAnnotation = 'argocd.argoproj.io/refresh'

/** The part of an Application that tells whether a refresh is over. */
interface Refreshed {
  metadata: { resourceVersion?: string; annotations?: Record<string, string> }
  operation?: unknown
  status?: { reconciledAt?: string; operationState?: { phase?: string }; conditions?: { type: string }[] }
}

/** Argo CD takes the annotation off when it has compared; where others keep asking, the time of comparison moves on. */
async function settle(hub: Access, namespace: string, name: string, signal: AbortSignal): Promise<boolean> {
  const look = () => ask(hub, (api) => api.getNamespacedCustomObject(application(namespace, name)))
  const asked = await refresh(hub, namespace, name, signal)
  if (asked === 'unheard') return false
  for (let seen = asked; seen; seen = (await look()) as typeof seen) {
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

/**
 * The refresh annotation wakes Argo CD, which else looks at Git every few minutes. Argo CD takes it off when it has
 * compared, also where it was put on again meanwhile: who asks while it is there may be told of a commit before theirs. So
 * it is put on when it is not there, on the very object that was seen; once it was not there, whoever puts it on asks for
 * us as well. 'unheard' when the signal ends first; undefined when there is no such Application.
 */
async function refresh(hub: Access, namespace: string, name: string, signal: AbortSignal) {
  const what = application(namespace, name)
  for (let wasFree = false; !signal.aborted; await sleep(100, undefined, { signal }).catch(() => undefined)) {
    const seen = (await ask(hub, (api) => api.getNamespacedCustomObject(what))) as Refreshed | undefined
    const isFree = seen?.metadata.annotations?.[refreshAnnotation] === undefined
    if (!seen || (wasFree && !isFree)) return seen
    if (!isFree) continue
    wasFree = true
    const asked = await annotate(hub, what, seen.metadata.resourceVersion)
    if (asked !== 'changed') return asked
  }
  return 'unheard'
}

/** Who only wants to wake Argo CD waits so long for it, in milliseconds: it is slow then, and will look anyway. */
const slowArgo = 5000

const wake = async (hub: Access, namespace: string, name: string) =>
  void (await refresh(hub, namespace, name, AbortSignal.timeout(slowArgo)))

/** Puts the annotation on the object of this version, and on no other. */
async function annotate(hub: Access, what: ReturnType<typeof application>, resourceVersion: string | undefined) {
  const { PatchStrategy, setHeaderOptions } = await import('@kubernetes/client-node')
  const body = { metadata: { annotations: { [refreshAnnotation]: 'normal' }, resourceVersion } }
  const options = setHeaderOptions('Content-Type', PatchStrategy.MergePatch)
  const patch = (api: CustomObjectsApi) =>
    api.patchNamespacedCustomObject({ ...what, body }, options).catch((error: unknown) => {
      if (codeOf(error) === 409) return 'changed'
      throw error
    })
  return (await ask(hub, patch)) as Refreshed | 'changed' | undefined
}

/** What a cluster answers, undefined for 404; what else fails is broken. */
async function ask(access: Access, request: (api: CustomObjectsApi) => Promise<unknown>): Promise<unknown> {
  const { CustomObjectsApi } = await import('@kubernetes/client-node')
  try {
    return await access.use((config) => request(config.makeApiClient(CustomObjectsApi)))
  } catch (error) {
    if (codeOf(error) === 404) return undefined
    throw access.failure(error)
  }
}
