import type { DataImportCron, DataSource, GoldenImages, Images } from '../golden-images.ts'
import type { Decision, Hub, HubCondition } from '../hub.ts'
import { imageApplicationName, imageLabel } from '../images/names.ts'
import { machineLabel } from '../kubevirt/manifest.ts'
import { restoringBy, snapshotApi } from '../kubevirt/restoring.ts'
import type {
  Application,
  Claim,
  DataVolume,
  ExternalSecret,
  Extra,
  Job,
  Machines,
  Occupants,
  VirtualMachine,
  VirtualMachineInstance,
} from '../machines.ts'
import { ask, openAccess } from './access.ts'
import { claimOf, holds, isAlive, podsIn, wordsOf } from './core-objects.ts'
import type { KubeconfigSettings } from './kubeconfig.ts'
import { openDocuments } from './openapi.ts'
import { application, openWaker, settle } from './refresh.ts'
import { readContent } from './snapshot-content.ts'
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
  spec?: { hubAcceptsClient?: boolean }
}

const ocm = 'cluster.open-cluster-management.io'

export interface Clusters {
  hub: Hub
  machines: Machines
  occupants: Occupants
  images: Images
  goldenImages: GoldenImages
}

/** Opens the clients; nothing is read before their first use. */
export function openClusters(config: ClustersConfig): Clusters {
  const to = openAccess(config)
  const onHub = to(config.hubContext)
  const restoring = openDocuments(snapshotApi, restoringBy)

  const wake = openWaker(onHub)
  const machines: Machines = {
    async *watch({ cluster, namespace, name }, signal, extras = []) {
      const access = to(cluster)
      const byLabel = { labelSelector: `${machineLabel}=${name}` }
      const byName = { fieldSelector: `metadata.name=${name}` }
      const kubevirt = { access, group: 'kubevirt.io', version: 'v1', namespace, ...byName }
      const sources: Source[] = [
        { access: onHub, ...applicationKind, namespace: config.argocdNamespace, ...byName },
        { ...kubevirt, plural: 'virtualmachines' },
        { ...kubevirt, plural: 'virtualmachineinstances' },
        { access, group: 'cdi.kubevirt.io', version: 'v1beta1', plural: 'datavolumes', namespace, ...byLabel },
        { access, ...secretKind, namespace, ...byLabel, optional: true },
        ...extras.map((extra): Source => ({ access, ...kindsOf[extra], namespace, ...byLabel })),
      ]
      for await (const { objects, isStale } of watchObjects(sources, signal)) {
        const [applications, vms, vmis, disks, secrets, ...others] = objects
        const asked = Object.fromEntries(extras.map((extra, index) => [extra, others[index] ?? []]))
        yield {
          application: applications?.[0] as Application | undefined,
          machine: vms?.[0] as VirtualMachine | undefined,
          instance: vmis?.[0] as VirtualMachineInstance | undefined,
          disks: (disks ?? []) as DataVolume[],
          secrets: (secrets ?? []) as ExternalSecret[],
          ...asked,
          ...(isStale && { isStale }),
        }
      }
    },
    async claims(cluster, namespace, names) {
      const found = await Promise.all(names.map((name) => claimOf(to(cluster), namespace, name)))
      return found.filter((one): one is Claim => one !== undefined)
    },
    async holders(cluster, namespace, claims) {
      const pods = await podsIn(to(cluster), namespace)
      return pods.filter((pod) => isAlive(pod) && holds(pod, claims)).map(({ metadata }) => metadata.name)
    },
    async volumesOf(cluster, namespace, snapshot) {
      const content = await readContent(to(cluster), namespace, snapshot)
      const backups = (content?.spec?.volumeBackups ?? []).flatMap(({ volumeName, volumeSnapshotName: from }) =>
        from ? [[volumeName, from] as const] : [],
      )
      return Object.fromEntries(backups)
    },
    async sizeIn(cluster, namespace, snapshot) {
      const content = await readContent(to(cluster), namespace, snapshot)
      const spec = content?.spec?.source?.virtualMachine?.spec
      return spec && { instancetype: spec.instancetype !== undefined, preference: spec.preference !== undefined }
    },
    restoring: (cluster) => restoring(cluster, to(cluster)),
    async lastWords(cluster, namespace, job) {
      const pods = await podsIn(to(cluster), namespace, `batch.kubernetes.io/job-name=${job}`)
      // A Job may try again: the pod that did it is the one to hear.
      const did = pods.filter(({ status }) => status?.phase === 'Succeeded')
      return [...did, ...pods].map(wordsOf).find((words) => words !== '') ?? ''
    },
    refresh: (application) => wake(config.argocdNamespace, application),
    settle: async (application, signal) => settle(onHub, config.argocdNamespace, application, signal),
  }

  const hub: Hub = {
    async managedCluster(name) {
      const what = { group: ocm, version: 'v1', plural: 'managedclusters', name }
      const found = (await ask(onHub, `get ${what.plural}`, (api) => api.getClusterCustomObject(what))) as
        | ManagedClusterObject
        | undefined
      return found && { accepted: found.spec?.hubAcceptsClient === true }
    },
    async *watchPlacement(namespace, name, signal) {
      const common = { access: onHub, group: ocm, version: 'v1beta1', namespace }
      const sources: Source[] = [
        { ...common, plural: 'placements', fieldSelector: `metadata.name=${name}` },
        { ...common, plural: 'placementdecisions', labelSelector: `${ocm}/placement=${name}` },
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
  }
  const occupants: Occupants = {
    async of({ cluster, namespace, name }) {
      const machine = { group: 'kubevirt.io', version: 'v1', plural: 'virtualmachines', namespace, name }
      const [found, same] = await Promise.all([
        ask(onHub, 'get applications', (api) =>
          api.getNamespacedCustomObject(application(config.argocdNamespace, name)),
        ),
        ask(to(cluster), `get ${machine.plural}`, (api) => api.getNamespacedCustomObject(machine)),
      ])
      return { application: found as Application | undefined, machine: same as VirtualMachine | undefined }
    },
  }
  const goldenImages: GoldenImages = {
    async *watch({ cluster, namespace, name }, signal) {
      const common = { access: to(cluster), namespace, labelSelector: `${imageLabel}=${name}` }
      const cdi = { ...common, group: 'cdi.kubevirt.io', version: 'v1beta1' }
      const application = { fieldSelector: `metadata.name=${imageApplicationName(name)}` }
      const sources: Source[] = [
        { access: onHub, ...applicationKind, namespace: config.argocdNamespace, ...application },
        { ...cdi, plural: 'datavolumes' },
        { ...common, ...secretKind, optional: true },
        { ...common, ...kindsOf.jobs },
        { ...cdi, plural: 'datasources' },
        { ...cdi, plural: 'dataimportcrons' },
      ]
      for await (const { objects, isStale } of watchObjects(sources, signal)) {
        const [applications, disks, secrets, jobs, pinned, crons] = objects
        yield {
          application: applications?.[0] as Application | undefined,
          disks: (disks ?? []) as DataVolume[],
          secrets: (secrets ?? []) as ExternalSecret[],
          jobs: (jobs ?? []) as Job[],
          sources: (pinned ?? []) as DataSource[],
          crons: (crons ?? []) as DataImportCron[],
          ...(isStale && { isStale }),
        }
      }
    },
    async dataSource(cluster, namespace, name) {
      const what = { group: 'cdi.kubevirt.io', version: 'v1beta1', plural: 'datasources', namespace, name }
      return (await ask(to(cluster), `get ${what.plural}`, (api) => api.getNamespacedCustomObject(what))) as
        | DataSource
        | undefined
    },
  }
  const images: Images = {
    async version(cluster, namespace, name) {
      const found = await goldenImages.dataSource(cluster, namespace, name)
      const [[kind, source] = []] = Object.entries(found?.status?.source ?? found?.spec?.source ?? {})
      return kind && source ? `${kind} ${source.namespace}/${source.name}` : undefined
    },
  }
  return { hub, machines, occupants, images, goldenImages }
}

const applicationKind = { group: 'argoproj.io', version: 'v1alpha1', plural: 'applications' }
const secretKind = { group: 'external-secrets.io', version: 'v1', plural: 'externalsecrets' }

/** Where the cluster keeps what a view may show beside the machine. */
const kindsOf: Record<Extra, Pick<Source, 'group' | 'version' | 'plural'>> = {
  snapshots: { group: 'snapshot.kubevirt.io', version: 'v1beta1', plural: 'virtualmachinesnapshots' },
  restores: { group: 'snapshot.kubevirt.io', version: 'v1beta1', plural: 'virtualmachinerestores' },
  migrations: { group: 'kubevirt.io', version: 'v1', plural: 'virtualmachineinstancemigrations' },
  jobs: { group: 'batch', version: 'v1', plural: 'jobs' },
}
