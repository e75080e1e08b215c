import type { Manifest } from '../kubevirt/manifest.ts'
import type { GuestCustomization } from '../schema/guest-customization.ts'
import { customizeCommands } from './customize-commands.ts'
import { confined, type DiskJob, diskIn, diskPath, type Mount, podOver } from './disk-pod.ts'
import { secretsOf } from './secrets-of.ts'

/** Where virt-customize is run. */
export interface Guestfs {
  /** A container image with guestfs-tools, such as the cluster's own libguestfs-tools. */
  image: string
  /** Whether its pod asks the node for KVM, as machines' pods do. Without it the guest's processor is played: 5 to 20 times slower. */
  kvm?: boolean
}

/** One customization of one disk. */
export interface CustomizeJob extends DiskJob, Guestfs {
  customization: GuestCustomization
  /** Whether many machines are made from the disk, and each has to become another. */
  sealed?: boolean
  /** Of its pod: no label of a requester's, for Kubernetes keeps some for itself, such as `job-name`, and refuses the Job. */
  podLabels: Record<string, string>
}

const folder = '/customize'
const home = '/home/guestfs'
const scratch = '/tmp/guestfs'

/**
 * The ConfigMap and the Job that customize a disk: the same input always gives the same ones. What Kubernetes fills in by
 * itself is left out, and nothing is written in a form that it would change, so Argo CD sees no difference.
 */
export function customizeJob(job: CustomizeJob): Manifest[] {
  const { name, namespace, labels, podLabels, customization, sealed = false } = job
  const metadata = { name, namespace, labels }
  return [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: customizeCommands(customization, sealed) },
    {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata,
      spec: {
        // A disk that is half customized is put back from its snapshot; to try again would make it worse.
        backoffLimit: 0,
        activeDeadlineSeconds: job.deadlineSeconds,
        // No ttlSecondsAfterFinished: Argo CD would make a Job that is gone anew, and it would run again.
        template: { metadata: { labels: podLabels }, spec: podSpec(job) },
      },
    },
  ]
}

const podSpec = (job: CustomizeJob) =>
  podOver(job, container(job), [
    { name: 'files', configMap: { name: job.name } },
    ...secretVolumes(job),
    { name: 'scratch', emptyDir: {} },
    { name: 'home', emptyDir: {} },
  ])

function container(job: CustomizeJob) {
  const mounts: Mount[] = [
    { name: 'files', mountPath: `${folder}/files`, readOnly: true },
    ...secretVolumes(job).map(({ name, secret }) => ({
      name,
      mountPath: `${folder}/secrets/${secret.secretName}`,
      readOnly: true,
    })),
    { name: 'scratch', mountPath: scratch },
    { name: 'home', mountPath: home },
  ]
  return {
    name: 'customize',
    image: job.image,
    command: ['/bin/bash', `${folder}/files/customize.sh`],
    env: environment(job, diskPath(job)),
    ...diskIn(job, mounts, { readOnly: false }),
    resources: {
      requests: { cpu: '500m', memory: '1Gi', 'ephemeral-storage': '1Gi' },
      limits: { memory: '2Gi', 'ephemeral-storage': '4Gi', ...(job.kvm && { 'devices.kubevirt.io/kvm': '1' }) },
    },
    securityContext: confined,
  }
}

const environment = ({ customization }: CustomizeJob, disk: string) =>
  Object.entries({
    CUSTOMIZE_DIR: folder,
    DISK: disk,
    // The script asks for it. Neither may change as long as a run may be in flight: no Job takes another pod.
    REPORT: 'true',
    SELINUX_RELABEL: String(customization.selinuxRelabel ?? true),
    TERMINATION_LOG: '/dev/termination-log',
    HOME: home,
    LIBGUESTFS_BACKEND: 'direct',
    LIBGUESTFS_PATH: '/usr/local/lib/guestfs/appliance',
    LIBGUESTFS_TMPDIR: scratch,
  }).map(([name, value]) => ({ name, value }))

const secretVolumes = ({ customization }: CustomizeJob) =>
  secretsOf(customization).map(({ secret, keys }, at) => ({
    name: `secret-${at}`,
    secret: { secretName: secret, defaultMode: 0o440, items: keys.map((key) => ({ key, path: key })) },
  }))
