import { confined, type DiskJob, diskIn, diskPath, type Mount, podOver } from './disk-pod.ts'
import { toVariables } from './push-input.ts'
import { parseRepository, parseTag } from './reference.ts'

/** One push of one disk, by Drover's own image, which has the program. */
export interface PushJob extends DiskJob {
  /** Where to, such as `registry.example.com/golden/rhel9`. */
  repository: string
  tag: string
  /** A Secret with the registry's credentials: a docker config, or a user name and a password. */
  secret?: string
  /** A ConfigMap with the authorities (PEM) that vouch for the registry's certificate. */
  caConfigMap?: string
  /** The registry speaks http. */
  insecure?: boolean
  /** What machines get unless they say another. */
  instancetype?: string
  preference?: string
  /** RFC 3339. */
  created: string
  /** Annotations of the image, by their full names. */
  provenance: Record<string, string>
}

const credentials = '/etc/drover/registry'
const authorities = '/etc/drover/authorities'

/** The Job that pushes a disk to a registry as a container disk. It gets no right on the cluster, and writes to no volume. */
export function pushJob(push: PushJob) {
  const { name, namespace, labels } = push
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
          ...podOver(
            push,
            containerOf(push, folders),
            folders.map(({ name, source }) => ({ name, ...source })),
          ),
          // The program reads its own variables; those of every Service in the namespace are none of its business.
          enableServiceLinks: false,
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
  const mounts = folders.map(({ name, mountPath }): Mount => ({ name, mountPath, readOnly: true }))
  return {
    name: 'push',
    image: push.image,
    // Not `command`: the image's entry point makes sure that a signal ends the program.
    args: ['node', 'dist/push-disk.cjs'],
    env: variablesOf(push).map(([name, value]) => ({ name, value })),
    securityContext: { ...confined, readOnlyRootFilesystem: true },
    // A program that is killed for its memory writes no sentence.
    terminationMessagePolicy: 'FallbackToLogsOnError',
    resources: { requests: { cpu: '500m', memory: '128Mi' }, limits: { memory: '512Mi' } },
    ...diskIn(push, mounts, { readOnly: true }),
  }
}

function variablesOf(push: PushJob): [string, string][] {
  const { repository, tag, created, instancetype, preference, secret, caConfigMap } = push
  const variables = toVariables({
    repository,
    tag,
    created,
    disk: diskPath(push),
    architecture: 'amd64',
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
