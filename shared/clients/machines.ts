import { machineLabel } from '../kubevirt/manifest.ts'
import { restoringBy, snapshotApi } from '../kubevirt/restoring.ts'
import type {
  Application,
  Claim,
  DataVolume,
  ExternalSecret,
  Machines,
  VirtualMachine,
  VirtualMachineInstance,
} from '../machines.ts'
import { type ArgoHub, type Context, getClusterObject } from './access.ts'
import { holds, isAlive, podsIn, readClaim, wordsOf } from './core-objects.ts'
import { kinds } from './kinds.ts'
import { openDocuments } from './openapi.ts'
import { settle, type Wake } from './refresh.ts'
import { sizeIn, volumesOf } from './snapshot-content.ts'
import { type Source, watchObjects } from './watch.ts'

interface StorageClass {
  volumeBindingMode?: string
}

/** The machines of all managed clusters, and Argo CD on the hub, which brings Git to them. */
export function openMachines(to: Context, { access: onHub, argocdNamespace }: ArgoHub, wake: Wake): Machines {
  const restoring = openDocuments(snapshotApi, restoringBy)
  return {
    async *watch({ cluster, namespace, name }, signal, extras = []) {
      const byName = { namespace, fieldSelector: `metadata.name=${name}` }
      const byLabel = { namespace, labelSelector: `${machineLabel}=${name}` }
      const access = to(cluster)
      const sources: Source[] = [
        { access: onHub, ...kinds.applications, ...byName, namespace: argocdNamespace },
        { access, ...kinds.virtualMachines, ...byName },
        { access, ...kinds.instances, ...byName },
        { access, ...kinds.dataVolumes, ...byLabel },
        { access, ...kinds.externalSecrets, ...byLabel, optional: true },
        ...extras.map((extra): Source => ({ access, ...kinds[extra], ...byLabel })),
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
      const found = await Promise.all(names.map((name) => readClaim(to(cluster), namespace, name)))
      return found.filter((one): one is Claim => one !== undefined)
    },
    async holders(cluster, namespace, claims) {
      const pods = await podsIn(to(cluster), namespace)
      return pods.filter((pod) => isAlive(pod) && holds(pod, claims)).map(({ metadata }) => metadata.name)
    },
    volumesOf: (cluster, namespace, snapshot) => volumesOf(to(cluster), namespace, snapshot),
    sizeIn: (cluster, namespace, snapshot) => sizeIn(to(cluster), namespace, snapshot),
    async waitsForPod(cluster, name) {
      const found = await getClusterObject<StorageClass>(to(cluster), { ...kinds.storageClasses, name })
      return found?.volumeBindingMode === 'WaitForFirstConsumer'
    },
    restoring: (cluster) => restoring(cluster, to(cluster)),
    async lastWords(cluster, namespace, job) {
      const pods = await podsIn(to(cluster), namespace, `batch.kubernetes.io/job-name=${job}`)
      // A Job may try again: the pod that did it is the one to hear.
      const did = pods.filter(({ status }) => status?.phase === 'Succeeded')
      return [...did, ...pods].map(wordsOf).find((words) => words !== '') ?? ''
    },
    refresh: wake,
    settle: async (application, signal) => settle(onHub, argocdNamespace, application, signal),
  }
}
