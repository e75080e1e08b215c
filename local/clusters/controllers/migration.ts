import { denied, deniedPlainly } from '../api-error.ts'
import type { Cluster, Waker } from '../cluster.ts'
import { indexBy } from '../index-by.ts'
import { type KubeObject, keyOf, timestamp } from '../object.ts'
import { same } from '../store-rules.ts'
import type { Pod } from './claim-types.ts'
import { release } from './garbage.ts'
import { launcher, launcherOf, podsOf } from './launcher.ts'
import { type Instance, type Migration, type MigrationState, migrationLabel } from './vm-types.ts'
import { machineOf } from './vmi.ts'

const finalizer = 'kubevirt.io/migrationJobFinalize'

/** KubeVirt's migration controller and both nodes: a pod on another node, the guest's way there, and the old pod's end. */
export function runMigrations(cluster: Cluster): void {
  const { store } = cluster
  const byInstance = indexBy<Migration>(store, 'VirtualMachineInstanceMigration', ({ metadata, spec }) => [
    `${metadata.namespace}/${spec.vmiName}`,
  ])
  const ofInstance = (instance: KubeObject) => byInstance.keys(keyOf(instance))
  store.admit('VirtualMachineInstanceMigration', (object, previous) =>
    previous ? unchanged(object, previous) : admit(cluster, object as Migration),
  )
  cluster.control<Migration>(
    'VirtualMachineInstanceMigration',
    (migration, waker) => reconcile(cluster, migration, waker),
    {
      VirtualMachineInstance: ofInstance,
      VirtualMachine: ofInstance,
      Pod: ({ metadata }) => [...byInstance.keys(`${metadata.namespace}/${metadata.labels?.['vm.kubevirt.io/name']}`)],
    },
  )
}

function unchanged(object: KubeObject, previous: KubeObject): KubeObject {
  if (same(object['spec'], previous['spec'])) return object
  const cause = {
    reason: 'FieldValueNotSupported',
    message: "update of Migration object's spec is restricted",
    field: 'spec',
  }
  throw denied('migration-update-validator.kubevirt.io', [cause])
}

function admit({ store }: Cluster, migration: Migration): KubeObject {
  const { namespace = '', labels, finalizers = [] } = migration.metadata
  const { vmiName } = migration.spec
  const refuse = (why: string) => deniedPlainly('migration-create-validator.kubevirt.io', why)
  const instance = store.get<Instance>('VirtualMachineInstance', namespace, vmiName)
  if (!instance) throw refuse(`the VMI "${namespace}/${vmiName}" does not exist`)
  if (/^(Succeeded|Failed)$/.test(instance.status?.phase ?? '')) throw refuse('Cannot migrate VMI in finalized state.')
  const movable = instance.status?.conditions?.find(({ type }) => type === 'LiveMigratable')
  if (movable?.status === 'False')
    throw refuse(`Cannot migrate VMI, Reason: ${movable.reason}, Message: ${movable.message}`)
  const active = store
    .list<Migration>('VirtualMachineInstanceMigration', namespace)
    .find(({ spec, status }) => spec.vmiName === vmiName && !isFinal(status?.phase))
  if (active)
    throw refuse(
      `in-flight migration detected. Active migration job (${active.metadata.uid}) is currently already in progress for VMI ${vmiName}.`,
    )
  const metadata = {
    ...migration.metadata,
    labels: { ...labels, 'kubevirt.io/vmi-name': vmiName },
    finalizers: [...finalizers, finalizer],
  }
  return { ...migration, metadata }
}

const isFinal = (phase: string | undefined) => phase === 'Succeeded' || phase === 'Failed'

function reconcile(cluster: Cluster, migration: Migration, { over }: Waker) {
  const { store } = cluster
  const { namespace = '', deletionTimestamp } = migration.metadata
  const { phase } = migration.status ?? {}
  if (isFinal(phase)) return deletionTimestamp ? release(cluster, migration, finalizer) : undefined
  const instance = store.get<Instance>('VirtualMachineInstance', namespace, migration.spec.vmiName)
  if (!instance || instance.metadata.deletionTimestamp)
    return fail(cluster, migration, instance, 'Migration failed vmi shutdown during migration.')
  if (deletionTimestamp) return fail(cluster, migration, instance, 'Migration failed due to being canceled')
  const target = podsOf(store, instance).find(
    ({ metadata }) => metadata.labels?.[migrationLabel] === migration.metadata.uid,
  )
  if (phase && phase !== 'Pending' && !target)
    return fail(cluster, migration, instance, 'Migration target pod was removed during active migration.')
  switch (phase) {
    case undefined:
      return to(cluster, migration, 'Pending')
    case 'Pending':
      return target ? to(cluster, migration, 'Scheduling') : void store.create(launcher(instance, migration))
    case 'Scheduling':
      return target?.status?.phase === 'Running' ? to(cluster, migration, 'Scheduled') : undefined
    case 'Scheduled':
      handOver(cluster, migration, instance, target)
      return to(cluster, migration, 'PreparingTarget')
    case 'PreparingTarget':
      note(cluster, instance, { targetNodeAddress: '192.0.2.12' })
      return to(cluster, migration, 'TargetReady')
    case 'TargetReady':
      note(cluster, instance, { startTimestamp: timestamp() })
      return to(cluster, migration, 'Running')
    case 'Running':
      return over('migrate') ? arrive(cluster, migration, instance) : undefined
  }
}

function handOver(cluster: Cluster, { metadata }: Migration, instance: Instance, target: Pod | undefined): void {
  const source = launcherOf(cluster.store, instance)
  const migrationState = {
    migrationUid: metadata.uid,
    sourceNode: instance.status?.nodeName,
    sourcePod: source?.metadata.name,
    targetNode: target?.spec.nodeName,
    targetPod: target?.metadata.name,
  }
  cluster.store.setStatus(instance, { migrationState })
}

function note({ store }: Cluster, instance: Instance, change: Partial<MigrationState>, fields = {}): void {
  store.setStatus(instance, { ...fields, migrationState: { ...instance.status?.migrationState, ...change } })
}

function arrive(cluster: Cluster, migration: Migration, instance: Instance) {
  const { store } = cluster
  if ([migration, machineOf(cluster, instance)].some((object) => cluster.hasFault('migration-fails', object)))
    return fail(cluster, migration, instance, 'Live migration failed: the guest was made to stay')
  const source = launcherOf(store, instance)
  const { targetNode } = instance.status?.migrationState ?? {}
  note(cluster, instance, { completed: true, endTimestamp: timestamp() }, { nodeName: targetNode })
  if (source) store.setStatus(source, { phase: 'Succeeded' })
  cluster.event(migration, 'Normal', 'SuccessfulMigration', 'Source node reported migration succeeded')
  to(cluster, migration, 'Succeeded')
}

/** The guest stays where it is, and the pod that it was to move to goes. */
function fail(cluster: Cluster, migration: Migration, instance: Instance | undefined, failureReason: string): void {
  const { store } = cluster
  const { uid } = migration.metadata
  if (instance?.status?.migrationState?.migrationUid === uid)
    note(cluster, instance, { completed: true, failed: true, endTimestamp: timestamp(), failureReason })
  const pods = instance ? podsOf(store, instance) : []
  for (const { metadata } of pods)
    if (metadata.labels?.[migrationLabel] === uid && !metadata.deletionTimestamp)
      store.remove('Pod', metadata.namespace ?? '', metadata.name)
  if (instance) {
    const message = `VirtualMachineInstance migration uid ${uid} failed. reason: ${failureReason}`
    cluster.event(instance, 'Warning', 'FailedMigration', message)
  }
  cluster.event(migration, 'Warning', 'FailedMigration', 'source node reported migration failed')
  to(cluster, migration, 'Failed')
}

function to({ store }: Cluster, migration: Migration, phase: string): void {
  const { phaseTransitionTimestamps = [] } = migration.status ?? {}
  const transitions = [...phaseTransitionTimestamps, { phase, phaseTransitionTimestamp: timestamp() }]
  store.setStatus(migration, { phase, phaseTransitionTimestamps: transitions })
}
