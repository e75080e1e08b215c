import { describe, expect, it } from 'vitest'
import { rewind } from '../../../functions/recover/rewind.ts'
import { toChangeSet } from '../../../shared/gitops/change-set.ts'
import type { Restoring } from '../../../shared/kubevirt/restoring.ts'
import { readRecord } from '../../../shared/ledger.ts'
import type { Machines } from '../../../shared/machines.ts'
import { claimsFile, definitionFile, manifestsFolder, runFile } from '../../../shared/paths.ts'
import type { Definition } from '../../../shared/schema/definition.ts'
import { parseYaml, toYaml } from '../../../shared/yaml.ts'
import type { MemoryFleet } from '../../fleet.ts'
import { databaseServer } from '../../shared/kubevirt/definitions.ts'
import { changing, commitAs, fleetHaving, gitops, machineOf } from '../changes.ts'
import { hereOf } from '../here.ts'
import { runningView, showing } from '../verify/views.ts'
import { definitionIn, following, offView, restoreOf } from './following.ts'

const server = databaseServer()
const run = changing('restore', { snapshot: 'clean' }, 'undo')
const claims = claimsFile('site-a', 'shop', 'db-01')
const manifest = (file: string) => `${manifestsFolder('site-a', 'shop', 'db-01')}/${file}.yaml`
const saved = { name: 'db-01-undo', purpose: 'undo' as const, run: run.id, disks: [], taken: run.since }
const changed = databaseServer({ running: false, operation: `${run.id}.restore`, snapshots: [saved] })

/** A fleet in which a run has come to this task, and has made this of the machine. */
async function fleetAfter(task: string, now: Definition, by = run, running = true): Promise<MemoryFleet> {
  const fleet = await fleetHaving({ ...server, running })
  fleet.put({ [claims]: 'db-01-data-data-4f3104: before\n' })
  await commitAs({ ...by, task: 'locate' }, fleet)
  await commitAs({ ...by, task }, fleet, await toChangeSet(now, await fleet.head(), gitops))
  return fleet
}

const rewinding = (fleet: MemoryFleet, machines: Machines, here = hereOf().here, by = run) =>
  rewind(by, machineOf(server), { fleet, machines, gitops, rootApplication: 'drover-hub' }, here)

describe('rewind', () => {
  it('goes through its stages, each in Git and on the cluster before the next', async () => {
    const fleet = await fleetAfter('restore.commit', changed)
    const { machines, seen } = following(fleet)
    expect(await rewinding(fleet, machines)).toBeUndefined()
    expect(seen).toEqual([`${run.id}.undo-off`, `${run.id}.undo-disks`, server.operation])
    // What its restore has made of it on the cluster stays.
    expect(await definitionIn(fleet)).toEqual({ ...server, pinned: true })
    expect((await readRecord(await fleet.head(), run.id))?.stage).toBe('back')
  })

  it('notes the claims of the data that it has put back, for they came anew', async () => {
    const fleet = await fleetAfter('restore.commit', changed)
    await rewinding(fleet, following(fleet).machines)
    expect(parseYaml((await fleet.files())[claims] ?? '')).toEqual({
      'db-01-data-data-4f3104': 'uid-of-db-01-data-data-4f3104',
      'db-01-data-wal-4f3104': 'uid-of-db-01-data-wal-4f3104',
    })
  })

  const until = '2030-01-08T10:00:00.000Z'
  const unused = { spec: { dataSource: { kind: 'VolumeSnapshot', name: 's' } }, status: { phase: 'Pending' } }
  it.each([
    ['stays off', false],
    ['starts now, and may not come up', true],
  ])('keeps the snapshot that disks are to be filled from without an end where the machine %s', async (_, running) => {
    const fleet = await fleetAfter('restore.commit', { ...changed, snapshots: [{ ...saved, until }] }, run, running)
    const claims: Machines['claims'] = async (_, __, names) =>
      names.map((name) => ({ ...unused, metadata: { name, uid: `of-${name}` } }))
    expect(await rewinding(fleet, following(fleet, { claims }).machines)).toBeUndefined()
    expect(await definitionIn(fleet)).toEqual({ ...server, running, pinned: true, snapshots: [saved] })
  })

  it('takes none first of disks that no guest has used: it would never be ready', async () => {
    const fleet = await fleetAfter('start.commit', { ...changed, running: true })
    const claims: Machines['claims'] = async (_, __, names) =>
      names.map((name) => ({ ...unused, metadata: { name, uid: `of-${name}` } }))
    const { machines, seen } = following(fleet, { claims })
    expect(await rewinding(fleet, machines)).toBeUndefined()
    expect(seen).toEqual([...['off', 'disks'].map((stage) => `${run.id}.undo-${stage}`), server.operation])
  })

  it('takes a snapshot first of what a guest may have written since, and keeps it', async () => {
    const fleet = await fleetAfter('start.commit', { ...changed, running: true })
    const { machines, seen } = following(fleet)
    expect(await rewinding(fleet, machines)).toBeUndefined()
    expect(seen).toEqual([...['off', 'keep', 'disks'].map((stage) => `${run.id}.undo-${stage}`), server.operation])
    const { snapshots = [] } = await definitionIn(fleet)
    expect(snapshots).toMatchObject([{ name: 'db-01-undone-01234567', purpose: 'asked', run: run.id }])
  })

  it('leaves the claims as they are recorded where no disk was put back', async () => {
    const fleet = await fleetAfter('stop.commit', databaseServer({ running: false }))
    await rewinding(fleet, following(fleet).machines)
    expect((await fleet.files())[claims]).toBe('db-01-data-data-4f3104: before\n')
  })

  it('goes on at the stage that another delivery has begun, and notes the claims all the same', async () => {
    const fleet = await fleetAfter('restore.commit', changed)
    const { here, endPatience } = hereOf()
    const impatient = following(fleet, {
      async *watch() {
        const definition = await definitionIn(fleet)
        if (definition.restore) endPatience()
        else yield offView(definition)
      },
    })
    expect(await rewinding(fleet, impatient.machines, here)).toMatchObject({ kind: 'notYet' })
    const { machines, seen } = following(fleet)
    expect(await rewinding(fleet, machines)).toBeUndefined()
    expect(seen).toEqual([`${run.id}.undo-disks`, server.operation])
    expect((await fleet.files())[claims]).toContain('uid-of-')
  })

  it('changes nothing at a delivery after the last', async () => {
    const fleet = await fleetAfter('restore.commit', changed)
    await rewinding(fleet, following(fleet).machines)
    const before = await fleet.files()
    expect(await rewinding(fleet, following(fleet).machines)).toBeUndefined()
    expect(await fleet.files()).toEqual(before)
  })

  it('has nothing to do where the run has not changed the definition', async () => {
    const fleet = await fleetHaving(server)
    await commitAs({ ...run, task: 'locate' }, fleet)
    const { machines, seen } = following(fleet)
    expect(await rewinding(fleet, machines)).toBeUndefined()
    expect(seen).toEqual([])
  })

  it('leaves to a person what would shrink a data disk', async () => {
    const [data, ...others] = server.disks
    const grown = { ...changed, disks: [{ name: 'data', ...data, size: '300Gi' }, ...others] }
    const fleet = await fleetAfter('restore.commit', grown)
    const before = await definitionIn(fleet)
    expect(await rewinding(fleet, following(fleet).machines)).toEqual({
      kind: 'stranded',
      message: expect.stringMatching(
        /^Cannot put shop\/db-01 on site-a back: .* would shrink the data disk "db-01-data-data-4f3104" from 300Gi to 200Gi$/,
      ),
    })
    expect((await definitionIn(fleet)).disks).toEqual(before.disks)
  })

  it('lets go of a data disk that the run itself has made', async () => {
    const resizing = changing('resize', {}, 'undo')
    const added = databaseServer({ running: false, disks: [...server.disks, { name: 'logs', size: '1Gi' }] })
    const fleet = await fleetAfter('resize.commit', added, resizing)
    const { machines } = following(fleet)
    expect(await rewinding(fleet, machines, hereOf().here, resizing)).toBeUndefined()
    expect((await definitionIn(fleet)).disks).toEqual(server.disks)
    expect(Object.keys(await fleet.files()).filter((path) => path.includes('data-logs'))).toEqual([])
  })

  describe('where a disk was to grow', () => {
    const resizing = changing('resize', { grow: { data: '300Gi' } }, 'undo')
    const [data, ...others] = server.disks
    const sized = (size: string, made?: string) => [{ name: 'data', ...data, size, ...(made && { made }) }, ...others]
    const claim = manifest('persistentvolumeclaim-db-01-data-data-4f3104')
    const live =
      (request: string, capacity: string): Machines['claims'] =>
      async (_, __, names) =>
        names.map((name) => ({
          metadata: { name, uid: 'u' },
          spec: { resources: { requests: { storage: request } } },
          status: { phase: 'Bound', capacity: { storage: capacity } },
        }))
    const rewound = async (before: Definition['disks'], now: Definition['disks'], claims: Machines['claims']) => {
      const fleet = await fleetHaving({ ...server, disks: before })
      await commitAs({ ...resizing, task: 'locate' }, fleet)
      const grown = { ...server, disks: now, running: false, size: { instancetype: 'u1.large' } }
      await commitAs(
        { ...resizing, task: 'resize.commit' },
        fleet,
        await toChangeSet(grown, await fleet.head(), gitops),
      )
      const seen: (string | undefined)[] = []
      const { machines } = following(fleet, {
        claims,
        async *watch() {
          const definition = await definitionIn(fleet)
          seen.push(definition.disks[0]?.size)
          yield definition.running ? runningView(definition) : offView(definition)
        },
      })
      expect(await rewinding(fleet, machines, hereOf().here, resizing)).toBeUndefined()
      return { disks: (await definitionIn(fleet)).disks, seen, claim: (await fleet.files())[claim] }
    }

    it('takes out of Git at once what the cluster has refused, for no stage could be applied with it', async () => {
      const { disks, seen, claim: file } = await rewound(server.disks, sized('300Gi', '200Gi'), live('200Gi', '200Gi'))
      expect(disks).toEqual(server.disks)
      expect(seen).toEqual(['200Gi', '200Gi'])
      expect(file).toBeUndefined()
    })

    it('puts a disk back to the size that it had grown to before', async () => {
      const grown = sized('250Gi', '200Gi')
      const { disks, claim: file } = await rewound(grown, sized('300Gi', '200Gi'), live('250Gi', '250Gi'))
      expect(disks).toEqual(grown)
      expect(file).toContain('storage: "250Gi"')
    })

    it.each<[string, Definition['disks'], Machines['claims']]>([
      ['has grown', server.disks, live('300Gi', '300Gi')],
      ['is going to, and had its size in Git before', sized('250Gi', '200Gi'), live('300Gi', '250Gi')],
    ])('leaves a disk that %s as it is', async (_, before, claims) => {
      const { disks, claim: file } = await rewound(before, sized('300Gi', '200Gi'), claims)
      expect(disks).toEqual(sized('300Gi', '200Gi'))
      expect(file).toContain('storage: "300Gi"')
    })

    it('takes none out of Git for a run that changes the size of the machine alone', async () => {
      const { disks, seen } = await rewound(server.disks, server.disks, live('1Gi', '1Gi'))
      expect(disks).toEqual(server.disks)
      expect(seen).toEqual(['200Gi', '200Gi'])
    })
  })

  it('asks for no claim, and looks at Git no more than once a stage, where a run has nothing to do with disks', async () => {
    const turning = changing('power', { action: 'stop' }, 'undo')
    const fleet = await fleetAfter('stop.commit', databaseServer({ running: false }), turning)
    let looks = 0
    const head = () => {
      looks += 1
      return fleet.head()
    }
    const { machines } = following(fleet, { claims: () => expect.fail('it has nothing to do with disks') })
    expect(await rewinding({ ...fleet, head }, machines, hereOf().here, turning)).toBeUndefined()
    expect(looks).toBe(1)
  })

  it('leaves files alone that the run has not written, also what somebody has changed in them or added', async () => {
    const fleet = await fleetAfter('restore.commit', changed)
    const role = manifest('dnsendpoint-db-01')
    const theirs = { [role]: 'by: hand\n', [manifest('persistentvolumeclaim-mine')]: 'by: hand\n' }
    expect(await fleet.files()).toHaveProperty([role])
    fleet.put(theirs)
    expect(await rewinding(fleet, following(fleet).machines)).toBeUndefined()
    expect(await fleet.files()).toMatchObject(theirs)
    expect(await definitionIn(fleet)).toEqual({ ...server, pinned: true })
  })

  it.each([
    ['the definition', definitionFile('site-a', 'shop', 'db-01')],
    ['the machine', manifest('virtualmachine-db-01')],
  ])('leaves to a person what somebody changes in %s while it goes on', async (_, path) => {
    const fleet = await fleetAfter('restore.commit', changed)
    const edit = async () => fleet.put({ [path]: `${(await fleet.files())[path]}# by hand\n` })
    const { machines, seen } = following(fleet, {
      async *watch() {
        const definition = await definitionIn(fleet)
        await edit()
        yield offView(definition)
      },
    })
    expect(await rewinding(fleet, machines)).toEqual({
      kind: 'stranded',
      message: expect.stringContaining(`${path} was changed by somebody else after this run wrote it`),
    })
    expect((await fleet.files())[path]).toContain('# by hand')
    expect(seen).toEqual([])
  })

  it('puts a machine back that was not ready before either', async () => {
    const by = changing('restore', { snapshot: 'clean' }, 'undo', { facts: { wasReady: false } })
    const fleet = await fleetAfter('restore.commit', changed, by)
    const { machines } = following(fleet, {
      async *watch() {
        const definition = await definitionIn(fleet)
        if (!definition.running) return yield offView(definition)
        yield showing(definition, 'Stopped')
        yield showing(definition, 'CrashLoopBackOff')
      },
    })
    expect(await rewinding(fleet, machines, hereOf().here, by)).toBeUndefined()
    expect((await readRecord(await fleet.head(), run.id))?.stage).toBe('back')
  })

  it('begins no stage of a run that another delivery has left to a person meanwhile', async () => {
    const fleet = await fleetAfter('restore.commit', changed)
    const { machines } = following(fleet, {
      async *watch() {
        const record = await readRecord(await fleet.head(), run.id)
        fleet.put({ [runFile(run.id)]: toYaml({ ...record, state: 'stranded', message: 'a person must look' }) })
        yield offView(await definitionIn(fleet))
      },
    })
    expect(await rewinding(fleet, machines)).toEqual({ kind: 'stranded', message: 'a person must look' })
    expect((await definitionIn(fleet)).operation).toBe(`${run.id}.undo-off`)
  })

  it('leaves to a person what the cluster cannot do', async () => {
    const fleet = await fleetAfter('restore.commit', changed)
    const { machines } = following(fleet, {
      async *watch() {
        const definition = await definitionIn(fleet)
        const view = offView(definition)
        const failure = { type: 'Failure', status: 'True', reason: 'the storage is full' }
        yield definition.restore
          ? { ...view, restores: [restoreOf(definition.restore, { conditions: [failure] })] }
          : view
      },
    })
    expect(await rewinding(fleet, machines)).toEqual({
      kind: 'stranded',
      message: 'Cannot put shop/db-01 on site-a back: restore db-01-restore-01234567 failed: the storage is full',
    })
  })

  it('waits on for a guest that does not come up at the first try, and says so', async () => {
    const fleet = await fleetAfter('restore.commit', changed)
    const { here, told, endPatience } = hereOf()
    const { machines } = following(fleet, {
      async *watch() {
        const definition = await definitionIn(fleet)
        yield definition.running ? showing(definition, 'CrashLoopBackOff') : offView(definition)
        if (definition.running) endPatience()
      },
    })
    const says = 'the VirtualMachine says CrashLoopBackOff: no reason given'
    expect(await rewinding(fleet, machines, here)).toEqual({
      kind: 'notYet',
      message: `Still waiting for VM db-01: ${says}`,
    })
    expect(told).toContain(says)
    expect(await rewinding(fleet, following(fleet).machines)).toBeUndefined()
  })
})

describe('rewind of a patch', () => {
  const until = '2030-01-08T10:00:00.000Z'
  const patching = changing('patch', {}, 'undo')
  const patched = { ...changed, snapshots: [{ ...saved, until }] }
  const root = { size: '30Gi', name: 'db-01-root-undo-01234567', snapshot: 'vs-root' }
  const old = { size: '30Gi', name: 'db-01-root-71f75f7d', image: server.image, until }
  const asRecorded: Machines['claims'] = async (_, __, names) =>
    names.map((name) => ({ metadata: { name, uid: 'before' }, status: { phase: 'Bound' } }))
  const usable = { claims: asRecorded, volumesOf: async () => ({ rootdisk: 'vs-root', 'data-data': 'vs-data' }) }

  it('makes the root disk anew from the run’s own snapshot, and keeps the one that was changed', async () => {
    const fleet = await fleetAfter('start.commit', patched, patching)
    const asked: string[] = []
    const volumesOf: Machines['volumesOf'] = async (...where) => {
      asked.push(where.join('/'))
      return usable.volumesOf()
    }
    const { machines, seen } = following(fleet, { claims: asRecorded, volumesOf })
    expect(await rewinding(fleet, machines, hereOf().here, patching)).toBeUndefined()
    expect(asked).toEqual(['site-a/shop/db-01-undo'])
    expect(seen).toEqual([`${run.id}.undo-off`, `${run.id}.undo-disks`, server.operation])
    expect(await definitionIn(fleet)).toEqual({ ...server, rootDisk: root, oldRoots: [old] })
  })

  it('keeps that snapshot where the new root disk is filled from it once the machine starts', async () => {
    const fleet = await fleetAfter('start.commit', patched, patching)
    const pending: Machines['claims'] = async (_, __, names) =>
      names.map((name) => ({
        metadata: { name, uid: 'before' },
        status: { phase: name === root.name ? 'Pending' : 'Bound' },
      }))
    const { machines } = following(fleet, { ...usable, claims: pending })
    expect(await rewinding(fleet, machines, hereOf().here, patching)).toBeUndefined()
    expect(await definitionIn(fleet)).toEqual({ ...server, rootDisk: root, oldRoots: [old], snapshots: [saved] })
  })

  it('leaves the claims of the data as they are recorded, for no disk of it came anew by an undo', async () => {
    const fleet = await fleetAfter('start.commit', patched, patching)
    await rewinding(fleet, following(fleet, usable).machines, hereOf().here, patching)
    expect((await fleet.files())[claims]).toBe('db-01-data-data-4f3104: before\n')
  })

  it('puts all disks back where a claim of the data came anew, for its data is in the snapshot alone, and keeps what was on the others', async () => {
    const seen = { claims: { 'db-01-data-data-4f3104': 'the one from before', 'db-01-data-wal-4f3104': 'another' } }
    const robbed = changing('patch', {}, 'undo', { facts: { ...seen } })
    const fleet = await fleetAfter('start.commit', patched, robbed)
    const { machines, seen: shown } = following(fleet, { volumesOf: () => expect.fail('no disk is made anew') })
    expect(await rewinding(fleet, machines, hereOf().here, robbed)).toBeUndefined()
    expect(shown).toEqual([...['off', 'keep', 'disks'].map((stage) => `${run.id}.undo-${stage}`), server.operation])
    const { snapshots, ...rest } = await definitionIn(fleet)
    expect(rest).toEqual({ ...server, pinned: true })
    expect(snapshots).toMatchObject([{ name: 'db-01-undone-01234567', until }])
  })

  it.each<Restoring>(['in place', 'new disks'])(
    'touches no data disk where the cluster restores %s, for somebody may have started the guest by hand before its time',
    async (restoring) => {
      const by = changing('patch', {}, 'undo', { facts: { restoring } })
      const fleet = await fleetAfter('patch.commit', patched, by)
      expect(await rewinding(fleet, following(fleet, usable).machines, hereOf().here, by)).toBeUndefined()
      expect(await definitionIn(fleet)).toEqual({ ...server, rootDisk: root, oldRoots: [old] })
    },
  )

  it('changes nothing while the snapshot cannot be used', async () => {
    const fleet = await fleetAfter('start.commit', patched, patching)
    const { machines, seen } = following(fleet, { volumesOf: async () => ({ 'data-data': 'vs-data' }) })
    expect(await rewinding(fleet, machines, hereOf().here, patching)).toEqual({
      kind: 'notYet',
      message: 'Still undoing: the snapshot of shop/db-01 on site-a cannot be used yet',
    })
    expect(seen).toEqual([])
    expect(await definitionIn(fleet)).toEqual(patched)
  })

  it('asks for no snapshot before the run has written to the disk', async () => {
    const fleet = await fleetAfter('save.commit', patched, patching)
    const { machines } = following(fleet, {
      claims: asRecorded,
      volumesOf: () => expect.fail('the disk is as it was'),
    })
    expect(await rewinding(fleet, machines, hereOf().here, patching)).toBeUndefined()
    expect(await definitionIn(fleet)).toEqual(server)
  })

  it('waits at the next delivery until the disk that it has begun is filled, and makes no other', async () => {
    const fleet = await fleetAfter('start.commit', patched, patching)
    const unfilled = (endPatience: () => void, change: Partial<Machines>) =>
      following(fleet, {
        ...change,
        async *watch() {
          const definition = await definitionIn(fleet)
          yield { ...offView(definition), disks: [] }
          if (definition.operation.endsWith('.undo-disks')) endPatience()
        },
      }).machines
    const first = hereOf()
    const message = 'Still waiting for VM db-01: disk db-01-root-undo-01234567 is not filled yet'
    expect(await rewinding(fleet, unfilled(first.endPatience, usable), first.here, patching)).toEqual({
      kind: 'notYet',
      message,
    })
    const volumesOf = () => expect.fail('it is known what the disk is made from')
    const second = hereOf()
    expect(await rewinding(fleet, unfilled(second.endPatience, { volumesOf }), second.here, patching)).toEqual({
      kind: 'notYet',
      message,
    })
    const { machines } = following(fleet, { claims: asRecorded, volumesOf })
    expect(await rewinding(fleet, machines, hereOf().here, patching)).toBeUndefined()
    expect(await definitionIn(fleet)).toEqual({ ...server, rootDisk: root, oldRoots: [old] })
  })
})
