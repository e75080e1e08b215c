import type { Cluster, Waker } from '../cluster.ts'
import { indexBy } from '../index-by.ts'
import { type Condition, type KubeObject, keyOf, withCondition } from '../object.ts'
import type { Claim, Pod } from './claim-types.ts'
import { release } from './garbage.ts'
import { interfacesOf } from './guest.ts'
import { launcher, launcherOf, podsOf } from './launcher.ts'
import { claimNames, type Instance } from './vm-types.ts'

/** KubeVirt's instance controller and its node: a pod for the guest, the guest's boot, its agent, and its end. */
export function runInstances(cluster: Cluster): void {
  const ofPod = ({ metadata }: KubeObject) =>
    (metadata.ownerReferences ?? []).map(({ name }) => `${metadata.namespace}/${name}`)
  const ofMachine = (machine: KubeObject) => [keyOf(machine)]
  const byClaim = indexBy<Instance>(cluster.store, 'VirtualMachineInstance', ({ metadata, spec }) =>
    claimNames(spec.volumes).map((name) => `${metadata.namespace}/${name}`),
  )
  cluster.control<Instance>('VirtualMachineInstance', (instance, waker) => reconcile(cluster, instance, waker), {
    Pod: ofPod,
    VirtualMachine: ofMachine,
    PersistentVolumeClaim: (claim) => byClaim.keys(keyOf(claim)),
  })
}

function reconcile(cluster: Cluster, instance: Instance, waker: Waker) {
  const { store } = cluster
  const pod = launcherOf(store, instance)
  const { phase = '' } = instance.status ?? {}
  if (instance.metadata.deletionTimestamp) return end(cluster, instance, waker)
  if (!phase)
    return to(cluster, instance, 'Pending', {
      type: 'Ready',
      status: 'False',
      reason: 'PodNotExists',
      message: 'virt-launcher pod has not yet been scheduled',
    })
  if (phase === 'Failed' || phase === 'Succeeded') return
  if (!pod) {
    if (phase === 'Pending') launch(cluster, instance)
    else
      to(cluster, instance, 'Failed', {
        type: 'Ready',
        status: 'False',
        reason: 'PodTerminating',
        message: 'virt-launcher pod is gone',
      })
    return
  }
  switch (phase) {
    case 'Pending':
      return to(cluster, instance, 'Scheduling', {
        type: 'Ready',
        status: 'False',
        reason: 'GuestNotRunning',
        message: 'Guest VM is not reported as running',
      })
    case 'Scheduling':
      return schedule(cluster, instance, pod)
    case 'Scheduled':
      return waker.over('boot') ? start(cluster, instance, pod) : undefined
    case 'Running':
      return runGuest(cluster, instance, waker)
  }
}

/** The pod comes when every claim that it mounts is there, bound or not. */
function launch({ store }: Cluster, instance: Instance): void {
  const isThere = (claim: string) => store.get('PersistentVolumeClaim', instance.metadata.namespace ?? '', claim)
  if (claimNames(instance.spec.volumes).every(isThere)) store.create(launcher(instance))
}

function schedule(cluster: Cluster, instance: Instance, pod: Pod) {
  const scheduled = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled')
  const known = instance.status?.conditions?.find(({ type }) => type === 'PodScheduled')
  if (scheduled?.status === 'False') return to(cluster, instance, 'Scheduling', scheduled)
  if (known)
    return void cluster.store.setStatus(instance, {
      conditions: instance.status?.conditions?.filter((one) => one !== known),
    })
  if (pod.status?.phase === 'Running') to(cluster, instance, 'Scheduled', undefined, { nodeName: pod.spec.nodeName })
}

/** A guest that never gets to run is what KubeVirt tries again ever more seldom; one that ran before starts again at once. */
function start(cluster: Cluster, instance: Instance, pod: Pod) {
  if (!cluster.hasFault('crash-loop', machineOf(cluster, instance))) return boot(cluster, instance, pod)
  to(cluster, instance, 'Failed', {
    type: 'Ready',
    status: 'False',
    reason: 'GuestNotRunning',
    message: 'Guest VM is not reported as running',
  })
}

function boot(cluster: Cluster, instance: Instance, { spec }: Pod): void {
  const interfaces = interfacesOf(cluster.store, instance, { agent: false, wrong: false })
  const conditions = withCondition(instance.status?.conditions, movable(cluster, instance))
  to(
    cluster,
    { ...instance, status: { ...instance.status, conditions } },
    'Running',
    { type: 'Ready', status: 'True' },
    { interfaces, nodeName: spec.nodeName, guestOSInfo: {} },
  )
}

/** A guest moves to another node only when each of its disks can be attached to two. */
function movable({ store }: Cluster, { metadata, spec }: Instance): Condition {
  const claim = claimNames(spec.volumes).find((name) => {
    const found = store.get<Claim>('PersistentVolumeClaim', metadata.namespace ?? '', name)
    return !found?.spec.accessModes?.includes('ReadWriteMany')
  })
  if (claim === undefined) return { type: 'LiveMigratable', status: 'True' }
  const message = `cannot migrate VMI: PVC ${claim} is not shared, live migration requires that all PVCs must be shared (using ReadWriteMany access mode)`
  return { type: 'LiveMigratable', status: 'False', reason: 'DisksNotLiveMigratable', message }
}

/** The agent of a running guest reports, once it has started. */
function runGuest(cluster: Cluster, instance: Instance, { over }: Waker) {
  const machine = machineOf(cluster, instance)
  const connected = instance.status?.conditions?.some(({ type }) => type === 'AgentConnected')
  if (connected || cluster.hasFault('no-agent', machine) || !over('agent')) return
  const interfaces = interfacesOf(cluster.store, instance, {
    agent: true,
    wrong: cluster.hasFault('wrong-address', machine),
  })
  to(
    cluster,
    instance,
    'Running',
    { type: 'AgentConnected', status: 'True' },
    { interfaces, guestOSInfo: { name: 'Linux', id: 'linux' } },
  )
}

/** A guest shuts down, its pods end, and only then is the instance gone. */
function end(cluster: Cluster, instance: Instance, { over }: Waker) {
  if (cluster.hasFault('stuck-stopping', machineOf(cluster, instance))) return
  if (instance.status?.phase === 'Running') {
    if (over('stop'))
      to(cluster, instance, 'Succeeded', {
        type: 'Ready',
        status: 'False',
        reason: 'PodTerminating',
        message: 'virt-launcher pod is terminating',
      })
    return
  }
  const pods = podsOf(cluster.store, instance)
  if (pods.length === 0) return release(cluster, instance, 'foregroundDeleteVirtualMachine')
  for (const { metadata } of pods)
    if (!metadata.deletionTimestamp) cluster.store.remove('Pod', metadata.namespace ?? '', metadata.name)
}

/** The machine that an instance belongs to: annotations for faults are written there. */
export function machineOf({ store }: Cluster, instance: KubeObject): KubeObject {
  return store.get('VirtualMachine', instance.metadata.namespace ?? '', instance.metadata.name) ?? instance
}

function to(
  { store }: Cluster,
  instance: Instance,
  phase: string,
  condition: Condition | undefined,
  fields: Record<string, unknown> = {},
): void {
  const { conditions } = instance.status ?? {}
  store.setStatus(instance, {
    phase,
    ...fields,
    conditions: condition ? withCondition(conditions, condition) : conditions,
  })
}
