import type { Cluster, Waker } from '../cluster.ts'
import { faultAnnotation } from '../faults.ts'
import { indexBy } from '../index-by.ts'
import { type Condition, hasCondition, type KubeObject, keyOf, ownedBy, timestamp, withCondition } from '../object.ts'
import { release } from './garbage.ts'
import { restoreMachine } from './restore-machine.ts'
import { hasRestored, restoreVolumes } from './restore-volumes.ts'
import type { Restore, Snapshot, SnapshotContent } from './snapshot-types.ts'
import type { VirtualMachine } from './vm-types.ts'

const finalizer = 'snapshot.kubevirt.io/vmrestore-protection'
const gracePeriod = 300_000

const waitsForStop = 'Waiting for target VM to be powered off. Please stop the restore target to proceed with restore'
const readiness = {
  WaitEventually: waitsForStop,
  StopTarget: 'Automatically stopping restore target for restore operation',
  WaitGracePeriod: `${waitsForStop}, or the operation will fail after 5m0s`,
  FailImmediate: 'Restore target VMI must be powered off before restore operation',
}
const tooLate =
  'Restore target failed to be ready within 5m0s. Please power off the target VM before attempting restore'

/**
 * KubeVirt's restore controller: waits for the target to be off, holds it (`status.restoreInProgress`), makes the claims
 * from their snapshots, gives the target the spec that it had, and lets it go. The target keeps its runStrategy.
 */
export function runRestores(cluster: Cluster): void {
  const { store } = cluster
  const byTarget = indexBy<Restore>(store, 'VirtualMachineRestore', ({ metadata, spec }) => [
    `${metadata.namespace}/${spec.target.name}`,
  ])
  const underWay = ({ metadata }: KubeObject) =>
    store
      .list<Restore>('VirtualMachineRestore', metadata.namespace)
      .filter((restore) => !restore.status?.complete)
      .map(keyOf)
  cluster.control<Restore>('VirtualMachineRestore', (restore, waker) => reconcile(cluster, restore, waker), {
    VirtualMachine: (machine) => byTarget.keys(keyOf(machine)),
    VirtualMachineInstance: (instance) => byTarget.keys(keyOf(instance)),
    VirtualMachineSnapshot: underWay,
    PersistentVolumeClaim: underWay,
    DataVolume: underWay,
  })
}

function reconcile(cluster: Cluster, restore: Restore, { again }: Waker) {
  const { store } = cluster
  const { namespace = '', deletionTimestamp } = restore.metadata
  const { complete, conditions } = restore.status ?? {}
  const machine = store.get<VirtualMachine>('VirtualMachine', namespace, restore.spec.target.name)
  const say = (reason: string, ready = reason, fields = {}) => tell(cluster, restore, ['True', reason], ready, fields)
  if (!restore.status) return say('Initializing VirtualMachineRestore', undefined, { complete: false })
  if (deletionTimestamp) return end(cluster, restore, machine)
  if (complete || hasCondition(conditions, 'Failure')) return
  if (own(cluster, restore, machine)) return
  if (cluster.hasFault('restore-stuck', restore)) return
  if (machine && store.get('VirtualMachineInstance', namespace, machine.metadata.name))
    return wait(cluster, restore, machine, again)
  const found = contentOf(cluster, restore, machine)
  if (typeof found === 'string') return fault(cluster, restore, found)
  if (machine && !hasRestored(restore, machine) && machine.status?.restoreInProgress === undefined)
    return void store.setStatus(machine, { restoreInProgress: restore.metadata.name })

  if (cluster.hasFault('restore-hangs', restore)) return hang(cluster, restore)
  const volumes = restoreVolumes(cluster, restore, machine, found)
  if (volumes === 'going on') return say('Creating new PVCs', 'Waiting for new PVCs')
  if (volumes !== 'done') return fault(cluster, restore, volumes)
  if (restoreMachine(cluster, restore, machine, found) === 'going on')
    return say('Updating target spec', 'Waiting for target update')
  finish(cluster, restore, machine)
}

/** Storage that does not answer: a restore that hangs once hangs for good, and holds its target. */
function hang({ store }: Cluster, restore: Restore): void {
  const annotations = { ...restore.metadata.annotations, [faultAnnotation]: 'restore-hangs' }
  if (restore.metadata.annotations?.[faultAnnotation] === undefined)
    store.modify(restore, (current) => ({ ...current, metadata: { ...current.metadata, annotations } }))
}

/** A restore belongs to its target, and is held until it has let go of it. */
function own({ store }: Cluster, restore: Restore, machine: VirtualMachine | undefined): boolean {
  const { ownerReferences = [], finalizers = [] } = restore.metadata
  const owners = ownerReferences.length === 0 && machine ? [ownedBy(machine)] : ownerReferences
  const holders = finalizers.includes(finalizer) ? finalizers : [...finalizers, finalizer]
  if (owners === ownerReferences && holders === finalizers) return false
  const metadata = { ...restore.metadata, ownerReferences: owners, finalizers: holders }
  store.modify(restore, (current) => ({ ...current, metadata }))
  return true
}

/** What becomes of a restore whose target runs. */
function wait(cluster: Cluster, restore: Restore, machine: VirtualMachine, again: Waker['again']) {
  const { targetReadinessPolicy = 'WaitGracePeriod' } = restore.spec
  const left = Date.parse(restore.metadata.creationTimestamp) + gracePeriod - Date.now()
  if (targetReadinessPolicy === 'FailImmediate') return fail(cluster, restore, readiness.FailImmediate)
  if (targetReadinessPolicy === 'WaitGracePeriod' && left <= 0) return fail(cluster, restore, tooLate)
  if (targetReadinessPolicy === 'WaitGracePeriod') again(left)
  if (targetReadinessPolicy === 'StopTarget') stop(cluster, machine)
  const message = 'Restore target VMI still exists, please stop the restore target to proceed with restore'
  cluster.event(restore, 'Warning', 'RestoreTargetNotReady', message)
  tell(cluster, restore, ['False', readiness[targetReadinessPolicy]])
}

/** Stopping a machine by KubeVirt's API rewrites its runStrategy. */
function stop({ store }: Cluster, machine: VirtualMachine): void {
  if (machine.spec.runStrategy !== 'Halted')
    store.modify(machine, (current) => ({ ...current, spec: { ...current.spec, runStrategy: 'Halted' } }))
}

/** What the snapshot holds; or why nothing can be restored from it yet. */
function contentOf(
  { store }: Cluster,
  restore: Restore,
  machine: VirtualMachine | undefined,
): SnapshotContent | string {
  const { namespace = '' } = restore.metadata
  const name = restore.spec.virtualMachineSnapshotName
  const snapshot = store.get<Snapshot>('VirtualMachineSnapshot', namespace, name)
  if (!snapshot) return `VMSnapshot ${namespace}/${name} does not exist`
  const { phase, readyToUse, sourceUID, virtualMachineSnapshotContentName: contentName = '' } = snapshot.status ?? {}
  if (phase === 'Failed') return `VMSnapshot ${namespace}/${name} failed and is invalid to use`
  if (!readyToUse) return `VMSnapshot ${namespace}/${name} not ready`
  if (machine && !hasRestored(restore, machine) && machine.metadata.uid !== sourceUID)
    return 'restore source and restore target are different but restore target already exists'
  const other = machine?.status?.restoreInProgress
  if (other !== undefined && other !== restore.metadata.name) return `vm restore ${other} in progress`
  const content = store.get<SnapshotContent>('VirtualMachineSnapshotContent', namespace, contentName)
  return content ?? `VMSnapshotContent ${namespace}/${contentName} does not exist`
}

function finish(cluster: Cluster, restore: Restore, machine: VirtualMachine | undefined): void {
  const { namespace = '', name } = restore.metadata
  for (const gone of restore.status?.deletedDataVolumes ?? [])
    if (cluster.store.get('DataVolume', namespace, gone)) cluster.store.remove('DataVolume', namespace, gone)
  letGo(cluster, restore, machine)
  cluster.event(
    restore,
    'Normal',
    'VirtualMachineRestoreComplete',
    `Successfully completed VirtualMachineRestore ${name}`,
  )
  const conditions = [progressing('False', 'Operation complete'), ready('True', 'Operation complete')]
  set(cluster, restore, conditions, { complete: true, restoreTime: timestamp() })
}

function end(cluster: Cluster, restore: Restore, machine: VirtualMachine | undefined): void {
  letGo(cluster, restore, machine)
  release(cluster, restore, finalizer)
}

function letGo({ store }: Cluster, { metadata }: Restore, machine: VirtualMachine | undefined): void {
  if (machine?.status?.restoreInProgress === metadata.name) store.setStatus(machine, { restoreInProgress: undefined })
}

function fault(cluster: Cluster, restore: Restore, message: string): void {
  cluster.event(restore, 'Warning', 'VirtualMachineRestoreError', `VirtualMachineRestore encountered error ${message}`)
  tell(cluster, restore, ['False', message])
}

function fail(cluster: Cluster, restore: Restore, message: string): void {
  cluster.event(restore, 'Warning', 'Operation failed', `VirtualMachineRestore failed ${message}`)
  const failure: Condition = { type: 'Failure', status: 'True', reason: message }
  set(cluster, restore, [progressing('False', message), ready('False', message), failure], {})
}

const progressing = (status: Condition['status'], reason: string): Condition => ({
  type: 'Progressing',
  status,
  reason,
})
const ready = (status: Condition['status'], reason: string): Condition => ({ type: 'Ready', status, reason })

function tell(
  cluster: Cluster,
  restore: Restore,
  [status, reason]: [status: Condition['status'], reason: string],
  readyReason = reason,
  fields: Record<string, unknown> = {},
): void {
  set(cluster, restore, [progressing(status, reason), ready('False', readyReason)], fields)
}

function set({ store }: Cluster, restore: Restore, changes: Condition[], fields: Record<string, unknown>): void {
  const conditions = changes.reduce<Condition[] | undefined>(withCondition, restore.status?.conditions)
  store.setStatus(restore, { ...fields, conditions })
}
