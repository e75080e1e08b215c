import type { Cluster, Waker } from '../cluster.ts'
import { indexBy } from '../index-by.ts'
import { type Condition, type KubeObject, keyOf, timestamp, withCondition } from '../object.ts'
import { type Claim, claimsOf, type Pod } from './claim-types.ts'
import { podsByClaim } from './claims.ts'
import { poolAddress } from './guest.ts'
import type { Job, Perform } from './job-types.ts'
import { finish } from './job-work.ts'
import { waitsForConsumer } from './storage-class.ts'
import { migrationLabel } from './vm-types.ts'
import { machineOf } from './vmi.ts'

const noRoom =
  '0/3 nodes are available: 3 Insufficient memory. preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod.'

const notBound =
  '0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.'

/**
 * Plays the scheduler and the nodes: a pod starts when its claims are bound, can be attached and its Secrets are there;
 * a Job's pod ends when its work is done. Guests run on the first node, Jobs on the second, migrations go to another one.
 */
export function runPods(cluster: Cluster, perform: Perform = () => undefined): void {
  const bySecret = indexBy<Pod>(cluster.store, 'Pod', ({ metadata, spec }) =>
    (spec.volumes ?? []).flatMap(({ secret }) => (secret ? [`${metadata.namespace}/${secret.secretName}`] : [])),
  )
  const byClaim = indexBy<Pod>(cluster.store, 'Pod', claimsOf)
  const users = podsByClaim(cluster)
  const byMachine = indexBy<Pod>(cluster.store, 'Pod', ({ metadata }) => {
    const machine = metadata.labels?.['vm.kubevirt.io/name']
    return machine === undefined ? [] : [`${metadata.namespace}/${machine}`]
  })
  const others = (pod: Pod) =>
    claimsOf(pod).flatMap((claim) => [...users.keys(claim)].filter((key) => key !== keyOf(pod)))
  cluster.control('Node', (node) => register(cluster, node))
  cluster.control<Pod>('Pod', (pod, waker) => reconcile(cluster, pod, waker, others(pod), perform), {
    VirtualMachine: (machine) => byMachine.keys(keyOf(machine)),
    Secret: (secret) => bySecret.keys(keyOf(secret)),
    PersistentVolumeClaim: (claim) => byClaim.keys(keyOf(claim)),
    Pod: (pod) => others(pod as Pod),
    Job: (job) =>
      cluster.store
        .dependents(job.metadata.uid)
        .filter(({ kind }) => kind === 'Pod')
        .map(keyOf),
  })
}

function register({ store }: Cluster, node: KubeObject): void {
  const conditions = [
    { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' },
  ]
  store.setStatus(node, { conditions, nodeInfo: { kubeletVersion: 'v1.34.0' } })
}

function reconcile(cluster: Cluster, pod: Pod, { over }: Waker, others: string[], perform: Perform) {
  const { store } = cluster
  const { namespace = '', name, deletionTimestamp } = pod.metadata
  const { phase } = pod.status ?? {}
  if (deletionTimestamp) return void (over('stop') && store.remove('Pod', namespace, name, { gracePeriodSeconds: 0 }))
  if (!phase) return say(cluster, pod, 'Pending', [])
  const job = ownerOf<Job>(cluster, pod, 'Job')
  if (phase === 'Running' && job && !cluster.hasFault('job-stuck', job) && over('job'))
    return finish(cluster, pod, job, { perform, isShared: usersAt(cluster, namespace, others).some(isRunning) })
  if (phase !== 'Pending') return
  if (!pod.spec.nodeName && !over('schedule')) return
  const instance = ownerOf(cluster, pod, 'VirtualMachineInstance')
  const faulty = instance ? machineOf(cluster, instance) : (job ?? pod)
  if (cluster.hasFault('unschedulable', faulty)) return refuse(cluster, pod, noRoom)
  const unbound = unboundClaim(cluster, pod)
  // A claim that waits for its consumer is bound once a node is chosen; another one must be bound before.
  if (unbound)
    return waitsForConsumer(cluster, unbound.spec.storageClassName)
      ? say(cluster, pod, 'Pending', [])
      : refuse(cluster, pod, notBound)
  if (!pod.spec.nodeName) {
    const nodeName = nodeFor(cluster, pod, instance, job)
    return void store.modify(pod, (current) => ({ ...current, spec: { ...pod.spec, nodeName } }))
  }
  const trouble = troubleOf(cluster, pod, others)
  if (trouble) {
    cluster.event(pod, 'Warning', ...trouble)
    return say(cluster, pod, 'Pending', [{ type: 'PodScheduled', status: 'True' }])
  }
  if (over('pod')) start(cluster, pod)
}

function ownerOf<T extends KubeObject>({ store }: Cluster, { metadata }: Pod, kind: string): T | undefined {
  const owner = metadata.ownerReferences?.find((one) => one.kind === kind)
  return owner && store.get<T>(kind, metadata.namespace ?? '', owner.name)
}

function nodeFor({ store }: Cluster, pod: Pod, instance: KubeObject | undefined, job: Job | undefined): string {
  const [first = 'node-1', second = first, ...more] = store.list('Node').map(({ metadata }) => metadata.name)
  if (job) return second
  if (!pod.metadata.labels?.[migrationLabel]) return first
  const { nodeName } = (instance?.['status'] ?? {}) as { nodeName?: string }
  return [first, second, ...more].find((name) => name !== nodeName) ?? first
}

/** What keeps a pod that has its node from starting: a disk that another node has, or a Secret that is not there. */
function troubleOf(cluster: Cluster, pod: Pod, others: string[]): [reason: string, message: string] | undefined {
  const { store } = cluster
  const { namespace = '' } = pod.metadata
  const users = usersAt(cluster, namespace, others)
  for (const { name: volume, secret, persistentVolumeClaim } of pod.spec.volumes ?? []) {
    if (secret && !store.get('Secret', namespace, secret.secretName))
      return [
        'FailedMount',
        `MountVolume.SetUp failed for volume "${volume}" : secret "${secret.secretName}" not found`,
      ]
    const claim =
      persistentVolumeClaim && store.get<Claim>('PersistentVolumeClaim', namespace, persistentVolumeClaim.claimName)
    if (!claim || claim.spec.accessModes?.includes('ReadWriteMany')) continue
    const holder = users.find(
      (user) => user.spec.nodeName && user.spec.nodeName !== pod.spec.nodeName && claimsOf(user).includes(keyOf(claim)),
    )
    if (holder)
      return [
        'FailedAttachVolume',
        `Multi-Attach error for volume "${claim.spec.volumeName}" Volume is already used by pod(s) ${holder.metadata.name}`,
      ]
  }
  return undefined
}

const usersAt = ({ store }: Cluster, namespace: string, keys: string[]) =>
  keys.flatMap((key) => store.get<Pod>('Pod', namespace, key.slice(namespace.length + 1)) ?? [])
const isRunning = ({ status }: Pod) => status?.phase === 'Running'

function refuse(cluster: Cluster, pod: Pod, message: string): void {
  cluster.event(pod, 'Warning', 'FailedScheduling', message)
  say(cluster, pod, 'Pending', [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }])
}

function unboundClaim({ store }: Cluster, pod: Pod): Claim | undefined {
  const { namespace = '' } = pod.metadata
  const claims = claimsOf(pod).flatMap(
    (key) => store.get<Claim>('PersistentVolumeClaim', namespace, key.slice(namespace.length + 1)) ?? [],
  )
  return claims.find(({ status }) => status?.phase !== 'Bound')
}

function start(cluster: Cluster, pod: Pod): void {
  const conditions: Condition[] = ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map((type) => ({
    type,
    status: 'True',
  }))
  const podIP = poolAddress(pod)
  const startTime = timestamp()
  const containerStatuses = pod.spec.containers?.map(({ name, image }) => ({
    name,
    image,
    ready: true,
    started: true,
    restartCount: 0,
    state: { running: { startedAt: startTime } },
  }))
  say(cluster, pod, 'Running', conditions, {
    podIP,
    podIPs: [{ ip: podIP }],
    hostIP: '192.0.2.10',
    startTime,
    containerStatuses,
  })
}

function say(
  { store }: Cluster,
  pod: Pod,
  phase: string,
  changes: Condition[],
  fields: Record<string, unknown> = {},
): void {
  const conditions = changes.reduce<Condition[] | undefined>(withCondition, pod.status?.conditions)
  store.setStatus(pod, { phase, conditions, ...fields })
}
