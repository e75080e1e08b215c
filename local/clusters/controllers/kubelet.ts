import type { Cluster, Waker } from '../cluster.ts'
import { indexBy } from '../index-by.ts'
import { type Condition, keyOf, timestamp, withCondition } from '../object.ts'
import { type Claim, type Pod, waitsForConsumer } from './claims.ts'
import { poolAddress } from './guest.ts'
import { machineOf } from './vmi.ts'

const noRoom =
  '0/3 nodes are available: 3 Insufficient memory. preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod.'

const notBound =
  '0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.'

/** Plays the scheduler and the node: a pod starts when its claims are bound and its Secrets are there. */
export function runPods(cluster: Cluster): void {
  const needs =
    (what: 'secret' | 'claim') =>
    ({ metadata, spec }: Pod) =>
      (spec.volumes ?? []).flatMap(({ persistentVolumeClaim, secret }) => {
        const name = what === 'secret' ? secret?.secretName : persistentVolumeClaim?.claimName
        return name ? [`${metadata.namespace}/${name}`] : []
      })
  const bySecret = indexBy<Pod>(cluster.store, 'Pod', needs('secret'))
  const byClaim = indexBy<Pod>(cluster.store, 'Pod', needs('claim'))
  const byMachine = indexBy<Pod>(cluster.store, 'Pod', ({ metadata }) => {
    const machine = metadata.labels?.['vm.kubevirt.io/name']
    return machine === undefined ? [] : [`${metadata.namespace}/${machine}`]
  })
  cluster.control<Pod>('Pod', (pod, waker) => reconcile(cluster, pod, waker), {
    VirtualMachine: (machine) => byMachine.keys(keyOf(machine)),
    Secret: (secret) => bySecret.keys(keyOf(secret)),
    PersistentVolumeClaim: (claim) => byClaim.keys(keyOf(claim)),
  })
}

function reconcile(cluster: Cluster, pod: Pod, { over }: Waker) {
  const { store } = cluster
  const { namespace = '', name, deletionTimestamp } = pod.metadata
  const { phase } = pod.status ?? {}
  if (deletionTimestamp) return void (over('stop') && store.remove('Pod', namespace, name, { gracePeriodSeconds: 0 }))
  if (!phase) return say(cluster, pod, 'Pending', [])
  if (phase !== 'Pending') return
  if (!pod.spec.nodeName && !over('schedule')) return
  const instance =
    pod.metadata.ownerReferences?.[0] &&
    store.get('VirtualMachineInstance', namespace, pod.metadata.ownerReferences[0].name)
  if (instance && cluster.hasFault('unschedulable', machineOf(cluster, instance))) return refuse(cluster, pod, noRoom)
  const unbound = unboundClaim(cluster, pod)
  // A claim that waits for its consumer is bound once a node is chosen; another one must be bound before.
  if (unbound)
    return waitsForConsumer(cluster, unbound.spec.storageClassName)
      ? say(cluster, pod, 'Pending', [])
      : refuse(cluster, pod, notBound)
  if (!pod.spec.nodeName)
    return void store.modify(pod, (current) => ({ ...current, spec: { ...pod.spec, nodeName: 'node-1' } }))
  for (const { name: volume, secret } of pod.spec.volumes ?? []) {
    if (!secret || store.get('Secret', namespace, secret.secretName)) continue
    cluster.event(
      pod,
      'Warning',
      'FailedMount',
      `MountVolume.SetUp failed for volume "${volume}" : secret "${secret.secretName}" not found`,
    )
    return say(cluster, pod, 'Pending', [{ type: 'PodScheduled', status: 'True' }])
  }
  if (over('pod')) start(cluster, pod)
}

function refuse(cluster: Cluster, pod: Pod, message: string): void {
  cluster.event(pod, 'Warning', 'FailedScheduling', message)
  say(cluster, pod, 'Pending', [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }])
}

function unboundClaim({ store }: Cluster, { metadata, spec }: Pod): Claim | undefined {
  const claims = (spec.volumes ?? []).flatMap(
    ({ persistentVolumeClaim: claim }) =>
      (claim && store.get<Claim>('PersistentVolumeClaim', metadata.namespace ?? '', claim.claimName)) ?? [],
  )
  return claims.find(({ status }) => status?.phase !== 'Bound')
}

function start(cluster: Cluster, pod: Pod): void {
  const conditions: Condition[] = ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map((type) => ({
    type,
    status: 'True',
  }))
  const podIP = poolAddress(pod)
  say(cluster, pod, 'Running', conditions, {
    podIP,
    podIPs: [{ ip: podIP }],
    hostIP: '192.0.2.10',
    startTime: timestamp(),
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
