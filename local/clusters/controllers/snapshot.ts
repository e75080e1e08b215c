import type { Cluster, Waker } from '../cluster.ts'
import { indexBy } from '../index-by.ts'
import { type Condition, hasCondition, type KubeObject, keyOf, withCondition } from '../object.ts'
import type { Claim } from './claim-types.ts'
import { podsByClaim } from './claims.ts'
import { release } from './garbage.ts'
import { admitSnapshots } from './snapshot-admission.ts'
import { contentNameOf, makeContent, runContents } from './snapshot-content.ts'
import type { Snapshot, SnapshotContent } from './snapshot-types.ts'
import { claimNames, type Instance, type VirtualMachine } from './vm-types.ts'
import { showSnapshotStatuses } from './volume-snapshot-statuses.ts'

const finalizer = 'snapshot.kubevirt.io/vmsnapshot-protection'
const sourceFinalizer = 'snapshot.kubevirt.io/snapshot-source-protection'

const meanings = {
  Online: 'Snapshot taken while the VM was running. Consistency depends on guest-agent quiescing.',
  GuestAgent: 'Guest agent was active and attempted to quiesce the filesystem for application consistency.',
  NoGuestAgent: 'Guest agent was not available. Snapshot is crash-consistent and may not be application-consistent.',
}

/**
 * KubeVirt's snapshot controller: locks the machine (`status.snapshotInProgress`), has its claims snapshot, and lets the
 * machine go as soon as they are cut. The snapshot says Succeeded then, and `readyToUse` when the storage is done.
 */
export function runSnapshots(cluster: Cluster): void {
  const { store } = cluster
  admitSnapshots(cluster)
  runContents(cluster)
  showSnapshotStatuses(cluster)
  const users = podsByClaim(cluster)
  const usersOf = (claim: string) => [...users.keys(claim)]
  const byMachine = indexBy<Snapshot>(store, 'VirtualMachineSnapshot', ({ metadata, spec }) => [
    `${metadata.namespace}/${spec.source.name}`,
  ])
  const ofNamespace = ({ metadata }: KubeObject) =>
    store
      .list<Snapshot>('VirtualMachineSnapshot', metadata.namespace)
      .filter(({ status }) => status?.phase === 'InProgress')
      .map(keyOf)
  cluster.control<Snapshot>(
    'VirtualMachineSnapshot',
    (snapshot, waker) => reconcile(cluster, snapshot, waker, usersOf),
    {
      VirtualMachine: (machine) => byMachine.keys(keyOf(machine)),
      VirtualMachineInstance: (instance) => byMachine.keys(keyOf(instance)),
      VirtualMachineSnapshotContent: (content) => [
        `${content.metadata.namespace}/${(content as SnapshotContent).spec.virtualMachineSnapshotName}`,
      ],
      PersistentVolumeClaim: ofNamespace,
      Pod: ofNamespace,
    },
  )
}

function reconcile(cluster: Cluster, snapshot: Snapshot, { again }: Waker, usersOf: (claim: string) => string[]) {
  const { store } = cluster
  const { namespace = '', deletionTimestamp } = snapshot.metadata
  const { phase } = snapshot.status ?? {}
  const machine = store.get<VirtualMachine>('VirtualMachine', namespace, snapshot.spec.source.name)
  const content = store.get<SnapshotContent>('VirtualMachineSnapshotContent', namespace, contentNameOf(snapshot))
  if (deletionTimestamp) return end(cluster, snapshot, machine, content)
  if (!phase) return begin(cluster, snapshot)
  if (phase === 'Failed') return unlock(cluster, snapshot, machine)
  if (phase === 'Succeeded') {
    unlock(cluster, snapshot, machine)
    return follow(cluster, snapshot, content)
  }
  const left = deadlineOf(snapshot) - Date.now()
  if (left <= 0) return fail(cluster, snapshot, machine, content)
  if (Number.isFinite(left)) again(left)
  if (!machine) return say(cluster, snapshot, progressing('False', 'Source does not exist'))
  const isLocked = machine.status?.snapshotInProgress === snapshot.metadata.name
  if (!isLocked) {
    const obstacle = obstacleOf(cluster, machine, usersOf)
    if (obstacle === undefined) lock(cluster, snapshot, machine)
    return say(
      cluster,
      snapshot,
      progressing('False', `Source not locked${obstacle ?? ''}`),
      seen(cluster, snapshot, machine),
    )
  }
  if (!content) makeContent(cluster, snapshot, machine)
  if (content?.status) return follow(cluster, snapshot, content)
  say(cluster, snapshot, progressing('True', locked), seen(cluster, snapshot, machine))
}

function begin(cluster: Cluster, snapshot: Snapshot): void {
  const held = cluster.store.modify(snapshot, (current) => ({
    ...current,
    metadata: { ...current.metadata, finalizers: [...(current.metadata.finalizers ?? []), finalizer] },
  }))
  const fields = { phase: 'InProgress', readyToUse: false }
  say(cluster, held ?? snapshot, [...progressing('False', 'Source not locked'), notReady], fields)
}

/** What keeps a machine's disks from being snapshot now, as the real controller says it; undefined when nothing does. */
function obstacleOf(
  { store }: Cluster,
  machine: VirtualMachine,
  usersOf: (claim: string) => string[],
): string | undefined {
  const { namespace = '', name } = machine.metadata
  const claims = claimNames(machine.spec.template.spec.volumes)
  for (const claim of claims) {
    const found = store.get<Claim>('PersistentVolumeClaim', namespace, claim)
    const wrong = !found
      ? 'volume doesnt exist'
      : found.metadata.deletionTimestamp
        ? 'volume is being deleted'
        : found.status?.phase !== 'Bound' && 'volume not bound'
    if (wrong) return ` source ${namespace}/${name} ${wrong}: ${claim}`
  }
  const pods = claims.flatMap((claim) => usersOf(`${namespace}/${claim}`))
  if (pods.length > 0 && !store.get('VirtualMachineInstance', namespace, name))
    return ` source is offline but ${pods.length} pods using PVCs [${claims.join(' ')}]`
  const other = machine.status?.snapshotInProgress
  return other === undefined ? undefined : ` snapshot "${other}" in progress`
}

function lock({ store }: Cluster, { metadata }: Snapshot, machine: VirtualMachine): void {
  const locked = store.setStatus(machine, { snapshotInProgress: metadata.name })
  if (locked)
    store.modify(locked, (current) => ({
      ...current,
      metadata: { ...current.metadata, finalizers: [...(current.metadata.finalizers ?? []), sourceFinalizer] },
    }))
}

function unlock(cluster: Cluster, { metadata }: Snapshot, machine: VirtualMachine | undefined): void {
  if (machine?.status?.snapshotInProgress !== metadata.name) return
  release(cluster, machine, sourceFinalizer)
  cluster.store.setStatus(machine, { snapshotInProgress: undefined })
}

/** What is known of the machine while it is locked: whether it runs, and whether its guest could be asked to hold still. */
function seen({ store }: Cluster, { metadata }: Snapshot, machine: VirtualMachine) {
  const instance = store.get<Instance>('VirtualMachineInstance', metadata.namespace ?? '', machine.metadata.name)
  if (!instance) return { sourceUID: machine.metadata.uid }
  const agent = hasCondition(instance.status?.conditions, 'AgentConnected') ? 'GuestAgent' : 'NoGuestAgent'
  const indications = [agent, 'Online'].sort() as (keyof typeof meanings)[]
  const sourceIndications = indications.map((indication) => ({ indication, message: meanings[indication] }))
  return { sourceUID: machine.metadata.uid, indications, sourceIndications }
}

/** Takes over what the content says of itself. */
function follow(cluster: Cluster, snapshot: Snapshot, content: SnapshotContent | undefined) {
  if (!content?.status) return
  const { readyToUse = false, creationTime, error } = content.status
  const said = { readyToUse, creationTime, error, virtualMachineSnapshotContentName: content.metadata.name }
  const ready: Condition = readyToUse ? { type: 'Ready', status: 'True', reason: 'Ready' } : notReady
  if (!creationTime) {
    const state = error ? progressing('False', 'In error state') : progressing('True', locked)
    return say(cluster, snapshot, [...state, ready], said)
  }
  const included = content.spec.volumeBackups.map(({ volumeName }) => volumeName)
  const all = (content.spec.source.virtualMachine.spec.template.spec.volumes ?? []).map(({ name }) => name)
  const excluded = all.filter((name) => !included.includes(name))
  const lists = { includedVolumes: included, ...(excluded.length > 0 && { excludedVolumes: excluded }) }
  const reason = error ? 'In error state' : 'Operation complete'
  say(cluster, snapshot, [...progressing('False', reason), ready], {
    ...said,
    phase: 'Succeeded',
    snapshotVolumes: lists,
  })
}

function deadlineOf({ metadata, spec }: Snapshot): number {
  const parts = (spec.failureDeadline ?? '5m').matchAll(/([\d.]+)(h|ms|m|s)/g)
  const factors: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 }
  const duration = [...parts].reduce((sum, [, value, unit = '']) => sum + Number(value) * (factors[unit] ?? 0), 0)
  return duration === 0 ? Number.POSITIVE_INFINITY : Date.parse(metadata.creationTimestamp) + duration
}

function fail(
  cluster: Cluster,
  snapshot: Snapshot,
  machine: VirtualMachine | undefined,
  content: SnapshotContent | undefined,
): void {
  if (content) cluster.store.remove(content.kind, content.metadata.namespace ?? '', content.metadata.name)
  const failure: Condition = { type: 'Failure', status: 'True', reason: 'snapshot deadline exceeded' }
  say(cluster, snapshot, [failure, ...progressing('False', 'Operation failed')], { phase: 'Failed' })
  unlock(cluster, snapshot, machine)
}

function end(
  cluster: Cluster,
  snapshot: Snapshot,
  machine: VirtualMachine | undefined,
  content: SnapshotContent | undefined,
): void {
  const isKept = snapshot.spec.deletionPolicy === 'Retain' && content?.status?.readyToUse
  if (content && !isKept) cluster.store.remove(content.kind, content.metadata.namespace ?? '', content.metadata.name)
  if (snapshot.status?.phase === 'InProgress')
    say(cluster, snapshot, progressing('False', 'VM snapshot is deleting'), { phase: 'Deleting' })
  unlock(cluster, snapshot, machine)
  release(cluster, snapshot, finalizer)
}

const locked = 'Source locked and operation in progress'
const notReady: Condition = { type: 'Ready', status: 'False', reason: 'Not ready' }
const progressing = (status: Condition['status'], reason: string): Condition[] => [
  { type: 'Progressing', status, reason },
]

function say({ store }: Cluster, snapshot: Snapshot, changes: Condition[], fields: Record<string, unknown> = {}): void {
  const conditions = changes.reduce<Condition[] | undefined>(withCondition, snapshot.status?.conditions)
  store.setStatus(snapshot, { ...fields, conditions })
}
