import type { Cluster, Waker } from '../cluster.ts'
import { type Index, indexBy } from '../index-by.ts'
import { type Condition, hasCondition, type KubeObject, keyOf, ownedBy, timestamp, withCondition } from '../object.ts'
import type { DataVolume } from './cdi-types.ts'
import type { Claim } from './claim-types.ts'
import { release } from './garbage.ts'
import { admitMachines } from './vm-admission.ts'
import { claimNames, type Instance, type MigrationState, secretNames, type VirtualMachine } from './vm-types.ts'

const finalizer = 'kubevirt.io/virtualMachineControllerFinalize'
const startedFrom = 'local.drover.dev/started-from'
/** The template as its guest was started from it. */
const startedTemplate = 'local.drover.dev/started-template'

/** KubeVirt's machine controller: starts and stops instances as `runStrategy` says, and says how it is going. */
export function runMachines(cluster: Cluster): { bySecret: Index } {
  const { store } = cluster
  admitMachines(cluster)
  const within = ({ metadata }: KubeObject, names: string[]) => names.map((name) => `${metadata.namespace}/${name}`)
  const byClaim = indexBy<VirtualMachine>(store, 'VirtualMachine', (machine) =>
    within(machine, claimNames(machine.spec.template.spec.volumes)),
  )
  const bySecret = indexBy<VirtualMachine>(store, 'VirtualMachine', (machine) =>
    within(
      machine,
      secretNames(machine.spec.template.spec.volumes).map(({ secret }) => secret),
    ),
  )
  const ofClaim = (object: KubeObject) => byClaim.keys(keyOf(object))
  const related = {
    VirtualMachineInstance: (instance: KubeObject) => [keyOf(instance)],
    PersistentVolumeClaim: ofClaim,
    DataVolume: ofClaim,
  }
  cluster.control<VirtualMachine>('VirtualMachine', (machine, waker) => reconcile(cluster, machine, waker), related)
  return { bySecret }
}

function reconcile(cluster: Cluster, machine: VirtualMachine, waker: Waker) {
  const { store } = cluster
  const { namespace = '', name, finalizers, deletionTimestamp } = machine.metadata
  const instance = store.get<Instance>('VirtualMachineInstance', namespace, name)
  if (deletionTimestamp) return terminate(cluster, machine, instance)
  if (!machine.status?.printableStatus) {
    const changed = store.modify(machine, (current) => ({
      ...current,
      metadata: { ...current.metadata, finalizers: [...(finalizers ?? []), finalizer] },
    }))
    return say(cluster, changed ?? machine, undefined, 'Stopped')
  }
  makeDataVolumes(cluster, machine)
  if (!wantsToRun(machine)) return stop(cluster, machine, instance)
  if (instance?.status?.phase === 'Failed') return restart(cluster, machine, instance)
  if (!instance) return start(cluster, machine, waker)
  say(cluster, machine, instance, printable(cluster, machine, instance))
}

function wantsToRun({ spec: { runStrategy, running } }: VirtualMachine): boolean {
  return running ?? (runStrategy !== 'Halted' && runStrategy !== 'Manual')
}

function terminate(cluster: Cluster, machine: VirtualMachine, instance: Instance | undefined) {
  remove(cluster, instance)
  if (instance) return say(cluster, machine, instance, 'Terminating')
  release(cluster, machine, finalizer)
}

function stop(cluster: Cluster, machine: VirtualMachine, instance: Instance | undefined): void {
  remove(cluster, instance)
  if (!instance && machine.status?.startFailure) cluster.store.setStatus(machine, { startFailure: undefined })
  // A guest that has shut down counts as stopped, although its instance and its pod are there a moment longer.
  say(cluster, machine, instance, instance && !isFinal(instance) ? 'Stopping' : 'Stopped')
}

const isFinal = ({ status }: Instance) => status?.phase === 'Succeeded' || status?.phase === 'Failed'

/** A machine whose disks are ready starts; until then it says what it waits for, in the order of a real one. */
function start(cluster: Cluster, machine: VirtualMachine, { again }: Waker) {
  const { printableStatus = '', startFailure } = machine.status ?? {}
  if (startFailure) {
    const left = Date.parse(startFailure.retryAfterTimestamp) - Date.now()
    if (left > 0) return again(left)
  }
  const waiting = disks(cluster, machine)
  if (waiting !== undefined) return say(cluster, machine, undefined, waiting || printableStatus)
  if (/^(Provisioning|DataVolumeError|ErrorPvcNotFound)$/.test(printableStatus))
    return say(cluster, machine, undefined, 'WaitingForVolumeBinding')
  const { metadata: labels, spec } = machine.spec.template
  const annotations = {
    ...labels?.annotations,
    [startedFrom]: shapeOf(machine),
    [startedTemplate]: templateOf(machine),
  }
  const owner = { ownerReferences: [ownedBy(machine)], finalizers: ['foregroundDeleteVirtualMachine'] }
  const metadata = {
    name: machine.metadata.name,
    namespace: machine.metadata.namespace,
    labels: labels?.labels,
    annotations,
    ...owner,
  }
  const { apiVersion } = machine
  const instance = cluster.store.create({ apiVersion, kind: 'VirtualMachineInstance', metadata, spec }) as Instance
  cluster.event(
    machine,
    'Normal',
    'SuccessfulCreate',
    `Started the virtual machine by creating the new virtual machine instance ${machine.metadata.name}`,
  )
  say(cluster, machine, instance, printable(cluster, machine, instance))
}

/** What DataVolumes that a machine names make it wait for, '' when that is nothing new; undefined when it can start. */
function disks(cluster: Cluster, machine: VirtualMachine): string | undefined {
  const names = (machine.spec.template.spec.volumes ?? []).flatMap(({ dataVolume }) => dataVolume?.name ?? [])
  let waiting: string | undefined
  for (const name of names) {
    const [volume, claim] = diskOf(cluster, machine, name)
    if (isBroken(volume)) return 'DataVolumeError'
    if (!volume && !claim) waiting = 'ErrorPvcNotFound'
    else if (isPending(volume)) waiting ||= isRunning(volume) ? 'Provisioning' : ''
  }
  return waiting
}

/** How an instance is going. It is there before its claims are, and says so: for as long as a disk takes to be made. */
function printable(cluster: Cluster, machine: VirtualMachine, { metadata, spec, status }: Instance): string {
  if (metadata.deletionTimestamp) return 'Stopping'
  if (status?.phase === 'Running') return isMigrating(status.migrationState) ? 'Migrating' : 'Running'
  const all = claimNames(spec.volumes).map((name) => diskOf(cluster, machine, name))
  if (all.some(([, claim]) => !claim)) return 'ErrorPvcNotFound'
  if (all.some(([volume]) => isBroken(volume))) return 'DataVolumeError'
  if (status?.conditions?.some(({ type, reason }) => type === 'PodScheduled' && reason === 'Unschedulable'))
    return 'ErrorUnschedulable'
  if (all.some(([volume]) => isPending(volume) && isRunning(volume))) return 'Provisioning'
  return all.some(([, claim]) => claim?.status?.phase !== 'Bound') ? 'WaitingForVolumeBinding' : 'Starting'
}

const isMigrating = (state: MigrationState | undefined) =>
  state?.startTimestamp !== undefined && state.endTimestamp === undefined

const diskOf = ({ store }: Cluster, { metadata: { namespace = '' } }: VirtualMachine, name: string) =>
  [
    store.get<DataVolume>('DataVolume', namespace, name),
    store.get<Claim>('PersistentVolumeClaim', namespace, name),
  ] as const

const runningOf = (volume: DataVolume | undefined) => volume?.status?.conditions?.find(({ type }) => type === 'Running')
const isRunning = (volume: DataVolume | undefined) => runningOf(volume)?.status === 'True'
const isBroken = (volume: DataVolume | undefined) =>
  volume?.status?.phase === 'Failed' || (runningOf(volume)?.status === 'False' && runningOf(volume)?.reason === 'Error')
const isPending = (volume: DataVolume | undefined) =>
  volume !== undefined &&
  !/^(Succeeded|WaitForFirstConsumer|PendingPopulation)$/.test(volume.status?.phase ?? 'Pending')

/** An instance that failed is removed; the next one starts after a pause that grows. */
function restart(cluster: Cluster, machine: VirtualMachine, instance: Instance): void {
  const { startFailure } = machine.status ?? {}
  if (startFailure?.lastFailedVMIUID !== instance.metadata.uid) {
    const consecutiveFailCount = (startFailure?.consecutiveFailCount ?? 0) + 1
    const pause = Math.max(1000, Math.min(300_000, cluster.pace.of('restart') * 2 ** (consecutiveFailCount - 1)))
    const retryAfterTimestamp = new Date(Date.now() + pause).toISOString()
    cluster.store.setStatus(machine, {
      startFailure: { consecutiveFailCount, lastFailedVMIUID: instance.metadata.uid, retryAfterTimestamp },
    })
  }
  say(cluster, machine, instance, 'CrashLoopBackOff')
  remove(cluster, instance)
}

function remove({ store }: Cluster, instance: Instance | undefined): void {
  if (instance && !instance.metadata.deletionTimestamp)
    store.remove(instance.kind, instance.metadata.namespace ?? '', instance.metadata.name)
}

function makeDataVolumes({ store }: Cluster, machine: VirtualMachine): void {
  const { namespace = '' } = machine.metadata
  for (const { metadata, spec } of machine.spec.dataVolumeTemplates ?? []) {
    if (
      store.get('DataVolume', namespace, metadata.name) ||
      store.get('PersistentVolumeClaim', namespace, metadata.name)
    )
      continue
    store.create({
      apiVersion: 'cdi.kubevirt.io/v1beta1',
      kind: 'DataVolume',
      metadata: { ...metadata, namespace, ownerReferences: [ownedBy(machine)] },
      spec,
    })
  }
}

function say(
  { store }: Cluster,
  machine: VirtualMachine,
  instance: Instance | undefined,
  printableStatus: string,
): void {
  const ready = hasCondition(instance?.status?.conditions, 'Ready') && /^(Running|Migrating)$/.test(printableStatus)
  const why = instance
    ? ['GuestNotRunning', 'Guest VM is not reported as running']
    : ['VMINotExists', 'VMI does not exist']
  const condition: Condition = ready
    ? { type: 'Ready', status: 'True' }
    : { type: 'Ready', status: 'False', reason: why[0], message: why[1] }
  const kept =
    printableStatus === 'CrashLoopBackOff' || (machine.status?.printableStatus === 'CrashLoopBackOff' && !instance)
  store.setStatus(machine, {
    printableStatus: kept && printableStatus !== 'Stopped' ? 'CrashLoopBackOff' : printableStatus,
    created: instance !== undefined || undefined,
    ready: ready || undefined,
    ...((instance || machine.status?.runStrategy) && {
      runStrategy: machine.spec.runStrategy ?? (machine.spec.running ? 'Always' : 'Halted'),
    }),
    // Without a guest they stand still.
    ...(instance && {
      observedGeneration: isOf(machine, instance) ? machine.metadata.generation : machine.status?.observedGeneration,
      desiredGeneration: machine.metadata.generation,
    }),
    conditions: restartRequired(machine, instance, withCondition(machine.status?.conditions, condition)),
    ...(ready && { startFailure: undefined }),
  })
}

const templateOf = ({ spec: { template } }: VirtualMachine) => JSON.stringify(template)

/** A guest is of the newest generation for as long as its template is that of its start. */
const isOf = (machine: VirtualMachine, { metadata: { annotations } }: Instance) =>
  annotations?.[startedTemplate] === undefined || annotations[startedTemplate] === templateOf(machine)

/** What a guest cannot be given while it runs: nothing is changed live, as is KubeVirt's default. */
function shapeOf({ spec: { template, instancetype, preference } }: VirtualMachine): string {
  return JSON.stringify([template.spec, instancetype, preference])
}

function restartRequired(
  machine: VirtualMachine,
  instance: Instance | undefined,
  conditions: Condition[],
): Condition[] {
  const others = conditions.filter(({ type }) => type !== 'RestartRequired')
  const started = instance?.metadata.annotations?.[startedFrom]
  if (started === undefined || started === shapeOf(machine)) return others
  const message = 'a non-live-updatable field was changed in the template spec'
  const before = conditions.find(({ type }) => type === 'RestartRequired')
  return [...others, before ?? { type: 'RestartRequired', status: 'True', message, lastTransitionTime: timestamp() }]
}
