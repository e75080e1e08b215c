import { createHash } from 'node:crypto'
import type { Cluster, Waker } from '../cluster.ts'
import { indexBy } from '../index-by.ts'
import { type Condition, type KubeObject, keyOf, ownedBy, withCondition } from '../object.ts'
import type { Pod } from './claim-types.ts'
import { release } from './garbage.ts'
import { interfacesOf } from './guest.ts'
import { claimNames, type Instance, secretNames } from './vm-types.ts'

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
  const pod = store.dependents(instance.metadata.uid).find(({ kind }) => kind === 'Pod') as Pod | undefined
  const { phase = '' } = instance.status ?? {}
  if (instance.metadata.deletionTimestamp) return end(cluster, instance, pod, waker)
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
  to(
    cluster,
    instance,
    'Running',
    { type: 'Ready', status: 'True' },
    { interfaces, nodeName: spec.nodeName, guestOSInfo: {} },
  )
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

/** A guest shuts down, its pod ends, and only then is the instance gone. */
function end(cluster: Cluster, instance: Instance, pod: Pod | undefined, { over }: Waker) {
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
  if (!pod) return release(cluster, instance, 'foregroundDeleteVirtualMachine')
  if (!pod.metadata.deletionTimestamp) cluster.store.remove('Pod', pod.metadata.namespace ?? '', pod.metadata.name)
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

function launcher(instance: Instance) {
  const { name, namespace, uid, labels } = instance.metadata
  const suffix = createHash('sha256').update(uid).digest('hex').slice(0, 5)
  const claims = claimNames(instance.spec.volumes).map((claimName) => ({
    name: claimName,
    persistentVolumeClaim: { claimName },
  }))
  const secrets = secretNames(instance.spec.volumes).map(({ volume, secret }) => ({
    name: volume,
    secret: { secretName: secret },
  }))
  const annotations = { 'kubevirt.io/domain': name }
  const own = {
    labels: { ...labels, 'kubevirt.io': 'virt-launcher', 'vm.kubevirt.io/name': name },
    annotations,
    ownerReferences: [ownedBy(instance)],
  }
  const metadata = { name: `virt-launcher-${name.slice(0, 40)}-${suffix}`, namespace, ...own }
  const spec = {
    restartPolicy: 'Never',
    containers: [{ name: 'compute', image: 'simulated/virt-launcher' }],
    volumes: [...claims, ...secrets],
  }
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec }
}
