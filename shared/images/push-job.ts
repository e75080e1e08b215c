import type { Default } from './image.ts'
import { toVariables } from './push-input.ts'
import { parseRepository, parseTag } from './reference.ts'

export interface PushJob {
  name: string
  namespace: string
  labels: Record<string, string>
  /** The PersistentVolumeClaim with the disk; nothing may write to it meanwhile. */
  claim: string
  volumeMode: 'Filesystem' | 'Block'
  /** Drover's own image, which has the program. */
  image: string
  /** Where to, such as `registry.example.com/golden/rhel9`. */
  repository: string
  tag: string
  /** Of the machines that will run from it; `amd64` when absent. */
  architecture?: 'amd64' | 'arm64' | 's390x'
  /** A Secret with the registry's credentials: a docker config, or a user name and a password. */
  secret?: string
  /** A ConfigMap with the authorities (PEM) that vouch for the registry's certificate. */
  caConfigMap?: string
  /** The registry speaks http. */
  insecure?: boolean
  instancetype?: Default
  preference?: Default
  /** RFC 3339. */
  created: string
  /** Annotations of the image, by their full names. */
  provenance: Record<string, string>
  deadlineSeconds: number
}

/** Who owns a disk in KubeVirt, and who reads it here. */
const qemu = 107

const credentials = '/etc/drover/registry'
const authorities = '/etc/drover/authorities'
const disks = { Filesystem: '/disks/disk.img', Block: '/dev/vda' } as const

/** The Job that pushes a disk to a registry as a container disk. It gets no right on the cluster, and writes to no volume. */
export function pushJob(push: PushJob) {
  const { name, namespace, labels, claim } = push
  // A name that is none would be found out by a Pod alone, minutes later.
  parseRepository(push.repository)
  parseTag(push.tag)
  const folders = foldersOf(push)
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace, labels },
    spec: {
      backoffLimit: 2,
      activeDeadlineSeconds: push.deadlineSeconds,
      template: {
        metadata: { labels },
        spec: {
          restartPolicy: 'Never',
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: qemu,
            runAsGroup: qemu,
            fsGroup: qemu,
            // A walk over all files at each start is for disks that are not KubeVirt's.
            fsGroupChangePolicy: 'OnRootMismatch',
            seccompProfile: { type: 'RuntimeDefault' },
          },
          containers: [containerOf(push, folders)],
          volumes: [
            { name: 'disk', persistentVolumeClaim: { claimName: claim } },
            ...folders.map(({ name, source }) => ({ name, ...source })),
          ],
        },
      },
    },
  }
}

interface Folder {
  name: string
  mountPath: string
  source: object
}

/** By reference: what is in a Secret stands neither in the Job nor in its log. */
function foldersOf({ secret, caConfigMap }: PushJob): Folder[] {
  return [
    ...(secret === undefined
      ? []
      : [{ name: 'registry', mountPath: credentials, source: { secret: { secretName: secret, defaultMode: 0o440 } } }]),
    ...(caConfigMap === undefined
      ? []
      : [{ name: 'authorities', mountPath: authorities, source: { configMap: { name: caConfigMap } } }]),
  ]
}

function containerOf(push: PushJob, folders: Folder[]) {
  const isBlock = push.volumeMode === 'Block'
  return {
    name: 'push',
    image: push.image,
    // Not `command`: the image's entry point makes sure that a signal ends the program.
    args: ['node', 'dist/push-disk.cjs'],
    env: variablesOf(push).map(([name, value]) => ({ name, value })),
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    // A program that is killed for its memory writes no sentence.
    terminationMessagePolicy: 'FallbackToLogsOnError',
    resources: { requests: { cpu: '500m', memory: '128Mi' }, limits: { memory: '512Mi' } },
    ...(isBlock && { volumeDevices: [{ name: 'disk', devicePath: disks.Block }] }),
    volumeMounts: [
      ...(isBlock ? [] : [{ name: 'disk', mountPath: '/disks', readOnly: true }]),
      ...folders.map(({ name, mountPath }) => ({ name, mountPath, readOnly: true })),
    ],
  }
}

function variablesOf(push: PushJob): [string, string][] {
  const { repository, tag, created, instancetype, preference, secret, caConfigMap } = push
  const variables = toVariables({
    repository,
    tag,
    created,
    disk: disks[push.volumeMode],
    architecture: push.architecture ?? 'amd64',
    annotations: push.provenance,
    insecure: push.insecure ?? false,
    ...(instancetype && { instancetype }),
    ...(preference && { preference }),
    ...(secret !== undefined && { credentials }),
    ...(caConfigMap !== undefined && { authorities }),
  })
  // Kubernetes takes `$(NAME)` in a value for another variable, and `$$` for a `$`.
  return Object.entries(variables).map(([name, value]) => [name, value.replaceAll('$', '$$$$')])
}
