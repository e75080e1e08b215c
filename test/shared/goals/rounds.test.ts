import { describe, expect, it } from 'vitest'
import type { Aim } from '../../../shared/goals/goal.ts'
import { goals } from '../../../shared/goals/goals.ts'
import type { MachineRound } from '../../../shared/lifecycles.ts'
import type { Claim, MachineView } from '../../../shared/machines.ts'
import type { Definition } from '../../../shared/schema/definition.ts'
import { machinesShowing, nothing } from '../../functions/machines.ts'
import { runningView, showing } from '../../functions/verify/views.ts'
import { linuxServer } from '../kubevirt/definitions.ts'

const run = '0123456789abcdef0123'
const aimOf = (change: Partial<Definition> = {}, facts: Aim['facts'] = {}): Aim => ({
  run,
  definition: linuxServer(change),
  revision: undefined,
  facts,
})
const off = aimOf({ running: false })
const onNewDisks = aimOf(
  { rootDisk: { size: '30Gi', name: 'web-01-root-new', snapshot: 'vs-root', atOnce: true } },
  { restoring: 'new disks', restoredFrom: { snapshot: 'web-01-x', volumes: { rootdisk: 'vs-root' } } },
)
const view = (rest: object): MachineView => ({ ...nothing, ...rest })
const named = (name: string, status?: object) => ({ metadata: { name }, ...(status ? { status } : {}) })
const restoring = (snapshot: string, status: object) => ({
  ...named('r', status),
  spec: { virtualMachineSnapshotName: snapshot },
})
/** An Application whose sync Argo CD has tried many times. */
const refusedBy = (message: string) => ({
  metadata: { name: 'web-01' },
  status: {
    sync: { status: 'OutOfSync', revision: 'a' },
    operationState: { phase: 'Running', retryCount: 5, message, operation: { sync: { revision: 'a' } } },
  },
})
const labelled = (name: string, role: 'root' | 'data') => ({
  metadata: { name, labels: { 'drover.dev/disk': role } },
})
const halted = (printableStatus: string, rest: object = {}) => {
  const { machine, ...shown } = showing(off.definition, printableStatus)
  const { status: more, ...others } = rest as { status?: object }
  const status = { ...machine?.status, runStrategy: 'Halted', ...more }
  return { ...shown, machine: { ...machine, spec: { runStrategy: 'Halted' }, status }, ...others } as MachineView
}
/** A Job that has ended, and a guest that was started by hand. */
const patchedAt = (completionTime: string | undefined, type: string, creationTimestamp: string) =>
  view({
    jobs: [named('web-01-patch', { conditions: [condition(type, 'True')], ...(completionTime && { completionTime }) })],
    instance: { metadata: { name: 'web-01', creationTimestamp }, status: { phase: 'Running' } },
  })
/** A machine whose guest was started from another template than it has now. */
const pendingRestart = (operation = linuxServer().operation) => ({
  ...runningView(linuxServer({ operation })),
  machine: showing(linuxServer({ operation }), 'Running', { ready: true, observedGeneration: 0 }).machine,
})
/** A snapshot that can be used, and what KubeVirt says of how it was taken. */
const taken = (...indications: string[]) => {
  const sourceIndications = indications.map((indication) => ({ indication }))
  return view({ snapshots: [named('web-01-x', { phase: 'Succeeded', readyToUse: true, sourceIndications })] })
}
/** A snapshot that can be used, and is without some of its machine's volumes. */
const without = (...excludedVolumes: string[]) =>
  view({
    snapshots: [named('web-01-x', { phase: 'Succeeded', readyToUse: true, snapshotVolumes: { excludedVolumes } })],
  })
/** A migration from node a to node b that is over, and what its guest says of it. */
const moved = (status: object) => {
  const migrationState = { migrationUid: 'this', sourceNode: 'a', targetNode: 'b' }
  const migrations = [{ metadata: { name: 'm', uid: 'this' }, status: { phase: 'Succeeded' } }]
  return view({ migrations, instance: named('web-01', { nodeName: 'b', migrationState, ...status }) })
}
const snapshots = [{ name: 'web-01-x', purpose: 'asked' as const, run, disks: [], taken: '2030-01-01T00:00:00Z' }]
/** With the annotations that such a one is made with, so that it outlives its machine. */
const lastOfAnother = {
  metadata: {
    name: 'web-01-final-5da9bbab',
    annotations: { 'argocd.argoproj.io/sync-options': 'Prune=false,Delete=false' },
  },
}
const patch = {
  name: 'web-01-patch',
  image: 'x',
  volumeMode: 'Filesystem' as const,
  customization: {},
  deadlineSeconds: 60,
}
const condition = (type: string, status: string, reason = '', message = '') => ({ type, status, reason, message })
const kept = { disks: [{ name: 'data', size: '1Gi' }] }

describe('a round', () => {
  it.each<[what: string, round: MachineRound, of: Aim, shown: MachineView, state: string, says: string]>([
    ['stop: is over', 'stop', off, halted('Stopped'), 'reached', 'is off'],
    [
      'stop: is over for one that had no guest when it was turned off, as after a crash',
      'stop',
      off,
      halted('Stopped', { status: { observedGeneration: 0 } }),
      'reached',
      'is off',
    ],
    [
      'stop: is over for one that never ran',
      'stop',
      off,
      halted('Stopped', { status: { observedGeneration: undefined, runStrategy: undefined } }),
      'reached',
      'is off',
    ],
    [
      'stop: does not believe Stopped of before KubeVirt has seen that it is to be off',
      'stop',
      off,
      halted('Stopped', { status: { runStrategy: 'Always' } }),
      'waiting',
      'Stopped',
    ],
    ['stop: waits while it stops', 'stop', off, halted('Stopping'), 'waiting', 'is Stopping'],
    [
      'stop: waits for the guest',
      'stop',
      off,
      halted('Stopped', { instance: named('web-01') }),
      'waiting',
      'its guest is still there',
    ],
    [
      'stop: does not believe Stopped of a machine that is to run',
      'stop',
      off,
      showing(off.definition, 'Stopped'),
      'waiting',
      'Stopped',
    ],
    ['stop: has nothing to do for one that stays on', 'stop', aimOf(), nothing, 'reached', 'not to be stopped'],
    ['snapshot: is over', 'snapshot', aimOf({ snapshots }), taken('NoGuestAgent'), 'reached', 'not quiesced'],
    [
      'snapshot: is over, and says that the agent could not hold the guest still',
      'snapshot',
      aimOf({ snapshots }),
      taken('GuestAgent', 'Online', 'QuiesceFailed'),
      'reached',
      'not quiesced: its guest agent could not',
    ],
    [
      'snapshot: is over, and says which disk it is without',
      'snapshot',
      aimOf({ snapshots, disks: [{ name: 'data', size: '5Gi' }] }),
      without('cloudinit', 'data-data'),
      'reached',
      'without "data-data", whose storage has no VolumeSnapshotClass',
    ],
    [
      'save: fails where a disk is not in it, for what is written to that one could not be taken back',
      'save',
      aimOf({ operation: `${run}.save`, snapshots: snapshots.map((one) => ({ ...one, purpose: 'undo' })) }),
      without('rootdisk'),
      'failed',
      'snapshot web-01-x has no "rootdisk": there is no VolumeSnapshotClass for its storage',
    ],
    [
      'save: makes do with it in an undo, where there is no other',
      'save',
      aimOf({ operation: `${run}.undo-keep`, snapshots: snapshots.map((one) => ({ ...one, purpose: 'undo' })) }),
      without('rootdisk'),
      'reached',
      'without "rootdisk"',
    ],
    [
      'save: fails where the last snapshot of a machine is without a disk',
      'save',
      aimOf({
        operation: `${run}.save`,
        snapshots: snapshots.map((one) => ({ ...one, purpose: 'final' })),
        disks: [{ name: 'data', size: '5Gi' }],
      }),
      without('data-data'),
      'failed',
      'snapshot web-01-x has no "data-data"',
    ],
    [
      'snapshot: waits until it can be used',
      'snapshot',
      aimOf({ snapshots }),
      view({ snapshots: [named('web-01-x', { phase: 'Succeeded', readyToUse: false })] }),
      'waiting',
      'is Succeeded',
    ],
    [
      'snapshot: is troubled by an error',
      'snapshot',
      aimOf({ snapshots }),
      view({ snapshots: [named('web-01-x', { error: { message: 'no space' } })] }),
      'troubled',
      'no space',
    ],
    [
      'snapshot: fails',
      'snapshot',
      aimOf({ snapshots }),
      view({ snapshots: [named('web-01-x', { phase: 'Failed', error: { message: 'deadline' } })] }),
      'failed',
      'deadline',
    ],
    [
      'snapshot: is over where the last snapshot of a machine that had the name before lies beside',
      'snapshot',
      aimOf({ snapshots }),
      view({ snapshots: [...(taken().snapshots ?? []), lastOfAnother] }),
      'reached',
      'Took snapshot web-01-x',
    ],
    [
      'snapshot: waits until one that was let go of is gone',
      'snapshot',
      aimOf(),
      view({ snapshots: [named('web-01-old')] }),
      'waiting',
      'web-01-old is still there',
    ],
    [
      'restore: waits',
      'restore',
      aimOf({ restore: { name: 'r', snapshot: 's' } }),
      view({ restores: [restoring('s', { conditions: [condition('Progressing', 'True', 'Creating new PVCs')] })] }),
      'waiting',
      'Creating new PVCs',
    ],
    [
      'restore: is troubled by an error',
      'restore',
      aimOf({ restore: { name: 'r', snapshot: 's' } }),
      view({ restores: [restoring('s', { conditions: [condition('Progressing', 'False', 'no class')] })] }),
      'troubled',
      'no class',
    ],
    [
      'restore: fails',
      'restore',
      aimOf({ restore: { name: 'r', snapshot: 's' } }),
      view({ restores: [restoring('s', { conditions: [condition('Failure', 'True', 'must be powered off')] })] }),
      'failed',
      'must be powered off',
    ],
    [
      'restore: waits until one of another snapshot has given way, whatever became of it',
      'restore',
      aimOf({ restore: { name: 'r', snapshot: 's', replaces: true } }),
      view({
        restores: [restoring('other', { complete: true, conditions: [condition('Failure', 'True', 'no class')] })],
      }),
      'waiting',
      'restore r of another snapshot is to go first',
    ],
    [
      'restore: is over',
      'restore',
      aimOf({ restore: { name: 'r', snapshot: 's' } }),
      view({ restores: [restoring('s', { complete: true })] }),
      'reached',
      'Restored s',
    ],
    [
      'restore: waits for new disks',
      'restore',
      onNewDisks,
      view({ disks: [named('web-01-root-new', { phase: 'WaitForFirstConsumer' })] }),
      'waiting',
      'web-01-root-new is not filled yet',
    ],
    [
      'restore: is troubled by a new disk',
      'restore',
      onNewDisks,
      view({ disks: [named('web-01-root-new', { conditions: [condition('Bound', 'False', 'ErrClaimNotValid')] })] }),
      'troubled',
      'cannot be made',
    ],
    [
      'restore: waits for a new disk that is being filled, though Argo CD cannot let its claim grow before it is bound',
      'restore',
      onNewDisks,
      view({
        application: refusedBy('spec is immutable after creation'),
        disks: [named('web-01-root-new', { phase: 'CloneFromSnapshotSourceInProgress' })],
      }),
      'waiting',
      'web-01-root-new is not filled yet',
    ],
    [
      'restore: is troubled where Argo CD cannot make a new disk',
      'restore',
      onNewDisks,
      view({ application: refusedBy('admission webhook denied the request') }),
      'troubled',
      'Argo CD cannot apply it: admission webhook denied the request',
    ],
    [
      'restore: is over when new disks are filled',
      'restore',
      onNewDisks,
      view({ disks: [named('web-01-root-new', { phase: 'Succeeded' })] }),
      'reached',
      'new disks from web-01-x',
    ],
    ['migrate: is over', 'migrate', aimOf({ migration: { name: 'm' } }), moved({}), 'reached', 'from node a to b'],
    [
      'migrate: believes no migration whose guest was started anew',
      'migrate',
      aimOf({ migration: { name: 'm' } }),
      moved({ migrationState: undefined }),
      'waiting',
      'does not say that it moved',
    ],
    [
      'migrate: believes no migration of which the guest knows another',
      'migrate',
      aimOf({ migration: { name: 'm' } }),
      moved({ migrationState: { migrationUid: 'another', sourceNode: 'a', targetNode: 'b' } }),
      'waiting',
      'does not say that it moved',
    ],
    [
      'migrate: waits until the guest is on the other node',
      'migrate',
      aimOf({ migration: { name: 'm' } }),
      moved({ nodeName: 'a' }),
      'waiting',
      'runs on node a',
    ],
    [
      'resize: ends with a guest that ran on and waits for a restart since before',
      'create',
      { ...aimOf(), run: 'another' },
      pendingRestart(),
      'reached',
      'Running',
    ],
    [
      'start: waits for a guest of its own',
      'create',
      aimOf({ operation: `${run}.start` }),
      pendingRestart(`${run}.start`),
      'waiting',
      'Running',
    ],
    [
      'migrate: fails',
      'migrate',
      aimOf({ migration: { name: 'm' } }),
      view({ migrations: [named('m', { phase: 'Failed', migrationState: { failureReason: 'no target' } })] }),
      'failed',
      'no target',
    ],
    [
      'patch: waits for the Job',
      'patch',
      aimOf({ patch }),
      view({ jobs: [named('web-01-patch', {})] }),
      'waiting',
      'works on the disk',
    ],
    [
      'patch: fails where the guest was started by hand meanwhile',
      'patch',
      aimOf({ patch }),
      view({ jobs: [named('web-01-patch', {})], instance: named('web-01', { phase: 'Running' }) }),
      'failed',
      'VM web-01 was started before Job web-01-patch was done with its disk',
    ],
    [
      'patch: fails where the guest was there before the Job was done',
      'patch',
      aimOf({ patch }),
      patchedAt('2026-11-27T10:00:05Z', 'Complete', '2026-11-27T10:00:04Z'),
      'failed',
      'VM web-01 was started before Job web-01-patch was done with its disk',
    ],
    [
      'patch: is over where the guest was started by hand after it',
      'patch',
      aimOf({ patch }),
      patchedAt('2026-11-27T10:00:05Z', 'Complete', '2026-11-27T10:00:06Z'),
      'reached',
      'ended',
    ],
    [
      'patch: leaves it to the Job to say why it failed, whoever was started since',
      'patch',
      aimOf({ patch }),
      patchedAt(undefined, 'Failed', '2026-11-27T10:00:04Z'),
      'reached',
      'ended',
    ],
    [
      'image: is made as far as it can be before a guest starts',
      'image',
      aimOf({ nextRoot: { name: 'd', image: linuxServer().image, size: '1Gi' } }),
      view({ disks: [named('d', { phase: 'WaitForFirstConsumer' })] }),
      'reached',
      'Made disk d',
    ],
    ['image: has nothing to do where it is current', 'image', aimOf(), nothing, 'reached', 'current already'],
    [
      'remove: waits for all of it',
      'remove',
      aimOf(kept),
      view({ application: named('web-01'), disks: [named('web-01-root-71f75f7d')] }),
      'waiting',
      'its Application, web-01-root-71f75f7d',
    ],
    [
      'remove: leaves what is kept',
      'remove',
      aimOf(kept),
      view({ disks: [named('web-01-data-data-4f3104')] }),
      'reached',
      'is gone',
    ],
    [
      'remove: leaves what is kept since before: of a machine of that name, or let go of by this one',
      'remove',
      aimOf(kept),
      view({ disks: [labelled('web-01-data-logs-ffffff', 'data')] }),
      'reached',
      'is gone',
    ],
    [
      'remove: waits for a root disk by its label',
      'remove',
      aimOf(kept),
      view({ disks: [labelled('web-01-root-ffffffff', 'root')] }),
      'waiting',
      'web-01-root-ffffffff',
    ],
    [
      'remove: waits for a data disk that is destroyed, whatever else is kept',
      'remove',
      aimOf({ disks: [{ name: 'data', size: '1Gi', destroyed: true }] }),
      view({
        disks: [labelled('web-01-data-logs-ffffff', 'data'), labelled('web-01-data-data-4f3104', 'data')],
      }),
      'waiting',
      'the cluster still has web-01-data-data-4f3104',
    ],
    [
      'remove: waits for a disk that is destroyed',
      'remove',
      aimOf({ disks: [{ name: 'data', size: '1Gi', destroyed: true }] }),
      view({ disks: [named('web-01-data-data-4f3104')] }),
      'waiting',
      'web-01-data-data-4f3104',
    ],
  ])('%s', (_, round, of, shown, state, says) => {
    expect(goals[round].assess(shown, of)).toMatchObject({ state, message: expect.stringContaining(says) })
  })

  const claim = (uid: string, rest: object = {}): Claim => ({
    metadata: { name: 'web-01-data-data-4f3104', uid, ...rest },
    status: { phase: 'Bound', capacity: { storage: '1Gi' } },
  })
  const ofSnapshot = { spec: { dataSource: { kind: 'VolumeSnapshot', name: 's' } } }
  const root = (phase: string): Claim => ({
    metadata: { name: 'web-01-root-71f75f7d', uid: 'r' },
    ...ofSnapshot,
    status: { phase },
  })
  const machines = (change: object) => ({ ...machinesShowing(nothing), ...change })
  const jobs = (type: string) =>
    view({ jobs: [named('web-01-patch', { conditions: [condition(type, 'True', '', 'ran too long')] })] })

  it.each<[what: string, round: MachineRound, of: Aim, there: object, shown: MachineView, state: string, says: string]>(
    [
      [
        'stop: waits for a pod that holds a disk',
        'stop',
        off,
        { holders: async () => ['launcher'] },
        nothing,
        'waiting',
        'still held by launcher',
      ],
      [
        'save: waits for a pod that holds a disk of a machine that is off',
        'save',
        aimOf({ running: false, snapshots }),
        { holders: async () => ['debug-pod'] },
        taken(),
        'waiting',
        'still held by debug-pod',
      ],
      [
        'save: is over where nothing holds the disks of a machine that is off',
        'save',
        aimOf({ running: false, snapshots }),
        { holders: async () => [] },
        taken(),
        'reached',
        'Took snapshot web-01-x',
      ],
      [
        'save: does not mind that a machine that runs holds its disks',
        'save',
        aimOf({ snapshots }),
        { holders: async () => ['virt-launcher-web-01'] },
        taken('Online', 'GuestAgent'),
        'reached',
        'quiesced by its guest agent',
      ],
      [
        'start: fails where a data disk came anew',
        'start',
        aimOf(kept, { claims: { 'web-01-data-data-4f3104': 'one' } }),
        { claims: async () => [claim('two')] },
        nothing,
        'failed',
        'it was one and is two',
      ],
      [
        'remove: fails where a kept disk came anew',
        'remove',
        aimOf(kept, { claims: { 'web-01-data-data-4f3104': 'one' } }),
        { claims: async () => [claim('two')] },
        nothing,
        'failed',
        'it was one and is two',
      ],
      [
        'remove: fails where a kept disk is the machine’s',
        'remove',
        aimOf(kept),
        { claims: async () => [claim('one', { ownerReferences: [{ kind: 'VirtualMachine', name: 'web-01' }] })] },
        nothing,
        'failed',
        'would go with it',
      ],
      [
        'remove: fails where a kept disk is gone',
        'remove',
        aimOf(kept),
        { claims: async () => [] },
        nothing,
        'failed',
        'is not there',
      ],
      [
        'restore: waits until every claim is bound',
        'restore',
        aimOf({ ...kept, restore: { name: 'r', snapshot: 's' } }),
        { claims: async () => [claim('two')] },
        nothing,
        'waiting',
        'web-01-root-71f75f7d are not bound yet',
      ],
      [
        'restore: is over where claims wait for a pod, and says that they are filled by then',
        'restore',
        aimOf({ ...kept, restore: { name: 'r', snapshot: 's' } }),
        { claims: async () => [root('Pending'), { ...claim('two'), ...ofSnapshot, status: { phase: 'Pending' } }] },
        nothing,
        'reached',
        'Restored the disks',
      ],
      [
        'restore: waits for a claim that is not made from its snapshot',
        'restore',
        aimOf({ ...kept, restore: { name: 'r', snapshot: 's' } }),
        { claims: async () => [root('Pending'), { ...claim('two'), status: { phase: 'Pending' } }] },
        nothing,
        'waiting',
        'web-01-data-data-4f3104 are not bound yet',
      ],
      [
        'restore: waits for a claim that has lost its volume',
        'restore',
        aimOf({ ...kept, restore: { name: 'r', snapshot: 's' } }),
        { claims: async () => [root('Lost'), claim('two')] },
        nothing,
        'waiting',
        'web-01-root-71f75f7d are not bound yet',
      ],
      [
        'restore: waits until new disks are bound, which they are at once',
        'restore',
        onNewDisks,
        { claims: async () => [{ metadata: { name: 'web-01-root-new', uid: 'one' }, status: { phase: 'Pending' } }] },
        nothing,
        'waiting',
        'web-01-root-new are not bound yet',
      ],
      [
        'resize: waits until a claim has grown',
        'resize',
        aimOf({ disks: [{ name: 'data', size: '2Gi', made: '1Gi' }] }),
        { claims: async () => [claim('one')] },
        nothing,
        'waiting',
        'has not grown to 2Gi yet',
      ],
      [
        'resize: is troubled where Argo CD says that the cluster lets no claim grow',
        'resize',
        aimOf({ disks: [{ name: 'data', size: '2Gi', made: '1Gi' }] }),
        { claims: async () => [claim('one')] },
        view({ application: refusedBy('the storageclass must support resize') }),
        'troubled',
        'Argo CD cannot apply it: the storageclass must support resize',
      ],
      [
        'patch: says what has changed',
        'patch',
        aimOf({ patch }),
        { lastWords: async () => '{"before":2,"changes":1,"changed":["curl 1 -> 2"],"truncated":false}' },
        jobs('Complete'),
        'reached',
        '1 packages changed',
      ],
      [
        'patch: fails with the words of its program',
        'patch',
        aimOf({ patch }),
        { lastWords: async () => '{"reason":"no space left"}' },
        jobs('Failed'),
        'failed',
        'no space left',
      ],
      [
        'patch: fails with the Job’s words where the program was ended',
        'patch',
        aimOf({ patch }),
        { lastWords: async () => '' },
        jobs('Failed'),
        'failed',
        'failed',
      ],
    ],
  )('%s', async (_, round, of, there, shown, state, says) => {
    const found = await goals[round].confirm?.(of, machines(there), shown)
    expect(found).toMatchObject({ state, message: expect.stringContaining(says) })
  })

  it.each<[string, phase: string, facts: object]>([
    ['which of its claims are filled only when the machine starts', 'Pending', { unfilled: ['web-01-root-71f75f7d'] }],
    ['of none where all are filled', 'Bound', {}],
  ])('restore: says %s', async (_, phase, unfilled) => {
    const of = aimOf({ ...kept, restore: { name: 'r', snapshot: 's' } })
    const found = await goals.restore.confirm?.(
      of,
      machines({ claims: async () => [root(phase), claim('two')] }),
      nothing,
    )
    const message = 'Restored the disks of VM web-01 from s'
    const claims = { 'web-01-root-71f75f7d': 'r', 'web-01-data-data-4f3104': 'two' }
    expect(found).toEqual({ state: 'reached', message, facts: { claims, ...unfilled, report: [message] } })
  })
})
