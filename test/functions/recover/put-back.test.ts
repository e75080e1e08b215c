import { describe, expect, it } from 'vitest'
import { type Clients, undo } from '../../../functions/recover/undo.ts'
import { toChangeSet } from '../../../shared/gitops/change-set.ts'
import { dataClaims } from '../../../shared/kubevirt/manifest.ts'
import { readRecord, trailersOf } from '../../../shared/ledger.ts'
import type { LifecycleName } from '../../../shared/lifecycles.ts'
import { toLock } from '../../../shared/lock.ts'
import type { Machines } from '../../../shared/machines.ts'
import { addressFile, claimsFile, dueFile, lockFile, manifestsFolder, runFile } from '../../../shared/paths.ts'
import type { Definition } from '../../../shared/schema/definition.ts'
import type { Facts, Run } from '../../../shared/step.ts'
import { toYaml } from '../../../shared/yaml.ts'
import type { MemoryFleet } from '../../fleet.ts'
import { databaseServer } from '../../shared/kubevirt/definitions.ts'
import { changing, commitAs, fleetHaving, gitops } from '../changes.ts'
import { hereOf } from '../here.ts'
import { definitionIn, following, offView } from './following.ts'

const server = databaseServer()
const lock = lockFile('site-a', 'shop', 'db-01')
const failure = { task: 'stop.verify', title: 'Wait until the machine has stopped', message: 'Cannot stop VM db-01' }
const stopping = changing('power', { action: 'stop' }, 'undo', { failure })
const stopped = databaseServer({ running: false, operation: `${stopping.id}.stop` })

/** A fleet in which a run holds a machine, and has made this of it. */
async function fleetAfter(run: Run, task: string, now: Definition, before = server): Promise<MemoryFleet> {
  const fleet = await fleetHaving(before)
  await commitAs({ ...run, task: 'locate' }, fleet, [{ path: lock, content: toLock(run) }])
  await commitAs({ ...run, task }, fleet, await toChangeSet(now, await fleet.head(), gitops))
  return fleet
}

/** The commit of this task, as history has it. */
const pushed = (fleet: MemoryFleet, run: Run, task: string) =>
  fleet.transact({
    subject: task,
    trailers: trailersOf({ ...run, task }),
    decide: async () => ({ changes: [], value: undefined, mark: true }),
  })

const clientsOf = (fleet: MemoryFleet, machines: Machines): Clients => ({
  goldenImages: { watch: () => expect.fail('it is about a machine') },
  fleet,
  machines,
  rootApplication: 'drover-hub',
  undoMinutes: 15,
  gitops,
  cmdb: { register: () => expect.fail('the machine stays what it is') },
})

const undoing = (run: Run, fleet: MemoryFleet, change: Partial<Machines> = {}, here = hereOf().here) =>
  undo(run, clientsOf(fleet, following(fleet, change).machines), here)

describe('the undo of a change', () => {
  it('leaves the machine as it was, and lets go of it', async () => {
    const before = await (await fleetHaving(server)).files()
    const fleet = await fleetAfter(stopping, 'stop.commit', stopped)
    expect(await undoing(stopping, fleet)).toEqual({
      kind: 'succeeded',
      message: 'Everything was put back after: Cannot stop VM db-01',
      facts: { kept: [] },
    })
    expect(await fleet.files()).toEqual(before)
    expect(fleet.commits.map(({ trailers, subject }) => [trailers.step, subject])).toEqual([
      ['undo', 'Undo power of db-01: it failed at stop.verify'],
      ['rewind', `Put shop/db-01 on site-a back after power run ${stopping.id}`],
      ['undone', `Release what run ${stopping.id} had claimed`],
    ])
  })

  it('says where it is what a guest had written until its disks were put back', async () => {
    const saved = { name: 'db-01-undo', purpose: 'undo' as const, run: stopping.id, disks: [], taken: stopping.since }
    const restoring = changing('restore', { snapshot: 'clean' }, 'undo', { failure: { ...failure, task: 'check' } })
    const started = databaseServer({ operation: `${stopping.id}.start`, snapshots: [saved] })
    const fleet = await fleetAfter(restoring, 'start.commit', started)
    const message =
      'Everything was put back after: Cannot stop VM db-01. What was written to its disks until then is in snapshot db-01-undone-01234567'
    expect(await undoing(restoring, fleet)).toMatchObject({ kind: 'succeeded', message })
  })

  it.each([
    ['are filled', false, 'Its disks are filled from snapshot db-01-undo when it starts, and not before'],
    ['were filled', true, 'Its disks were filled from snapshot db-01-undo, which stays until somebody lets it go'],
  ])('says what disks %s from that storage fills once a machine uses them', async (_, running, sentence) => {
    const saved = { name: 'db-01-undo', purpose: 'undo' as const, run: stopping.id, disks: [], taken: stopping.since }
    const task = 'restore.commit'
    const restoring = changing('restore', { snapshot: 'clean' }, 'undo', { failure: { ...failure, task } })
    const restored = databaseServer({ running: false, operation: `${restoring.id}.restore`, snapshots: [saved] })
    const fleet = await fleetAfter(restoring, task, restored, databaseServer({ running }))
    await pushed(fleet, restoring, task)
    const claims: Machines['claims'] = async (_, __, names) =>
      names.map((name) => ({
        metadata: { name, uid: `of-${name}` },
        spec: { dataSource: { kind: 'VolumeSnapshot', name: 's' } },
        status: { phase: 'Pending' },
      }))
    const message = `Everything was put back after: Cannot stop VM db-01. ${sentence}`
    expect(await undoing(restoring, fleet, { claims })).toMatchObject({ kind: 'succeeded', message })
  })

  it.each<[LifecycleName, task: string, Facts]>([
    ['repave', 'swap.commit', {}],
    ['patch', 'patch.commit', { restoring: 'new disks' }],
    ['restore', 'restore.commit', { restoring: 'new disks' }],
  ])(
    'keeps the snapshot of a %s without an end where a data disk came anew, for it has the data alone',
    async (lifecycle, task, facts) => {
      const until = '2030-01-09T10:00:00.000Z'
      const saved = { purpose: 'undo' as const, run: stopping.id, disks: [], taken: stopping.since, until }
      const recorded = toYaml(Object.fromEntries(dataClaims(server).map((name) => [name, 'another'])))
      const run = changing(lifecycle, lifecycle === 'restore' ? { snapshot: 'clean' } : {}, 'undo', {
        failure: { ...failure, task: task.replace('commit', 'verify') },
        facts: { ...stopping.facts, ...facts },
      })
      const snapshots = [{ ...saved, name: 'db-01-undo' }]
      const fleet = await fleetAfter(run, task, databaseServer({ running: false, operation: `${run.id}.x`, snapshots }))
      fleet.put({ [claimsFile('site-a', 'shop', 'db-01')]: recorded })
      const volumesOf = async () => ({ rootdisk: 'vs-root' })
      await pushed(fleet, run, task)
      const { message, kind } = await undoing(run, fleet, { volumesOf })
      expect([kind, message]).toEqual([
        'succeeded',
        expect.stringContaining(
          'Snapshot db-01-undo stays until somebody lets it go: what is in it may be nowhere else',
        ),
      ])
      const { until: _until, ...kept } = { ...saved, name: 'db-01-undo' }
      expect((await definitionIn(fleet)).snapshots).toEqual([kept])
    },
  )

  it('wakes Argo CD at each stage, and when everything is given back', async () => {
    const fleet = await fleetAfter(stopping, 'stop.commit', stopped)
    const refreshed: string[] = []
    await undoing(stopping, fleet, { refresh: async (name) => void refreshed.push(name) })
    expect(refreshed).toEqual(['drover-hub', 'db-01', 'drover-hub'])
  })

  it('holds the machine while the cluster has not followed', async () => {
    const fleet = await fleetAfter(stopping, 'stop.commit', stopped)
    const { here, endPatience } = hereOf()
    const watch: Machines['watch'] = async function* () {
      yield offView(await definitionIn(fleet))
      endPatience()
    }
    expect(await undoing(stopping, fleet, { watch }, here)).toMatchObject({ kind: 'notYet' })
    expect((await fleet.files())[lock]).toBe(toLock(stopping))
    expect(await readRecord(await fleet.head(), stopping.id)).toMatchObject({ state: 'undoing', failure })
  })

  it('is left to a person where a stage cannot be begun: no tick goes on with it', async () => {
    const [data, ...others] = server.disks
    const grown = databaseServer({ ...stopped, disks: [{ name: 'data', ...data, size: '300Gi' }, ...others] })
    const fleet = await fleetAfter(stopping, 'stop.commit', grown)
    const file = `${manifestsFolder('site-a', 'shop', 'db-01')}/datavolume-db-01-data-data-4f3104.yaml`
    const message = `Cannot put shop/db-01 on site-a back: ${file} would shrink the data disk "db-01-data-data-4f3104" from 300Gi to 200Gi`
    expect(await undoing(stopping, fleet)).toEqual({ kind: 'stranded', message })
    expect(await readRecord(await fleet.head(), stopping.id)).toMatchObject({ state: 'stranded', message, failure })
    expect(await undoing(stopping, fleet)).toEqual({ kind: 'stranded', message })
    expect(await fleet.files()).toHaveProperty([lock])
  })

  it('puts nothing back where somebody else has changed the machine since', async () => {
    const fleet = await fleetAfter(stopping, 'stop.commit', stopped)
    const path = 'vms/site-a/shop/db-01/values.yaml'
    fleet.put({ [path]: 'mine\n' })
    expect(await undoing(stopping, fleet, { watch: () => expect.fail('it is not touched') })).toMatchObject({
      kind: 'stranded',
      message: expect.stringContaining(`Cannot undo run ${stopping.id}: ${path} was changed by somebody else`),
    })
    expect((await fleet.files())[path]).toBe('mine\n')
  })

  it('notes until when it has left the root disk that was changed', async () => {
    const patching = changing('patch', {}, 'undo', {
      failure: { ...failure, task: 'patch.verify' },
      facts: { restoring: 'new disks' },
    })
    const until = '2030-01-08T10:00:00.000Z'
    const saved = {
      name: 'db-01-undo',
      purpose: 'undo',
      run: patching.id,
      disks: [] as string[],
      taken: '',
      until,
    } as const
    const patched = databaseServer({ running: false, operation: `${patching.id}.patch`, snapshots: [saved] })
    const fleet = await fleetAfter(patching, 'patch.commit', patched)
    expect(await undoing(patching, fleet, { volumesOf: async () => ({ rootdisk: 'vs-root' }) })).toMatchObject({
      kind: 'succeeded',
    })
    expect((await definitionIn(fleet)).oldRoots).toMatchObject([{ name: 'db-01-root-71f75f7d', until }])
    expect(await fleet.files()).toHaveProperty([dueFile('2030-01-08', 'site-a', 'shop', 'db-01')])
    expect(await fleet.files()).not.toHaveProperty([runFile(patching.id)])
  })

  it('never begins once the machine was taken away, and says where it was archived and how to go on', async () => {
    const address = addressFile('servers', '10.20.0.17')
    const removing = changing('deprovision', {}, 'undo', {
      failure: { ...failure, task: 'release', message: 'Cannot free its address' },
    })
    const fleet = await fleetHaving()
    await commitAs({ ...removing, task: 'remove.commit' }, fleet)
    fleet.put({ [address]: 'of another machine\n' })
    const message = `Cannot undo run ${removing.id}: db-01 was taken away already, see archive/2030/01-01/db-01-${removing.id}. What failed: Cannot free its address. Put that right, and let the run go on: set state to "running" and deadline to a time to come in ${runFile(removing.id)}`
    expect(await undoing(removing, fleet)).toEqual({ kind: 'stranded', message })
    expect(await readRecord(await fleet.head(), removing.id)).toMatchObject({ state: 'stranded', message })
  })

  it('of a machine that is still there begins', async () => {
    const removing = changing('deprovision', {}, 'undo', { failure })
    const fleet = await fleetAfter(removing, 'stop.commit', { ...stopped, operation: `${removing.id}.stop` })
    expect(await undoing(removing, fleet)).toMatchObject({ kind: 'succeeded' })
    expect(await definitionIn(fleet)).toEqual(server)
  })
})
