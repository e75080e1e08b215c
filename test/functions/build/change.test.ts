import { describe, expect, it } from 'vitest'
import { change } from '../../../functions/build/change.ts'
import { recorded } from '../../../shared/ledger.ts'
import type { LifecycleName } from '../../../shared/lifecycles.ts'
import { definitionFile, keptFile, lockFile, manifestsFolder, placementFile, runFile } from '../../../shared/paths.ts'
import type { Definition } from '../../../shared/schema/definition.ts'
import type { Outcome, Run } from '../../../shared/step.ts'
import { parseYaml, toYaml } from '../../../shared/yaml.ts'
import type { MemoryFleet } from '../../fleet.ts'
import { databaseServer } from '../../shared/kubevirt/definitions.ts'
import { buildSettings, changing, commitAs, fleetHaving } from '../changes.ts'

const folder = manifestsFolder('site-a', 'shop', 'db-01')
const values = definitionFile('site-a', 'shop', 'db-01')
const virtualMachine = `${folder}/virtualmachine-db-01.yaml`

/** What a run builds on a machine that it holds. */
async function building(run: Run, definition = databaseServer(), files: Record<string, string | null> = {}) {
  const fleet = await fleetHaving(definition)
  await commitAs({ ...run, task: 'locate' }, fleet)
  fleet.put(files)
  return { fleet, outcome: await change(run, await fleet.head(), buildSettings) }
}

const stopping = (changes: Partial<Run> = {}) => changing('power', { action: 'stop' }, 'stop.build', changes)
const changesIn = (outcome: Outcome) => (outcome.kind === 'succeeded' ? (outcome.changes ?? []) : [])
const written = (outcome: Outcome) => Object.fromEntries(changesIn(outcome).map(({ path, content }) => [path, content]))

async function commit(fleet: MemoryFleet, run: Run, outcome: Outcome) {
  await commitAs({ ...run, task: run.task.replace('build', 'commit') }, fleet, changesIn(outcome))
}

describe('change', () => {
  it('builds the files that the edit changes and no others, each expected to be as it is', async () => {
    const { fleet, outcome } = await building(stopping())
    expect(outcome).toMatchObject({
      kind: 'succeeded',
      message: 'Built 2 files for shop/db-01 on site-a',
      facts: { definition: { running: false, operation: '0123456789abcdef0123.stop' } },
    })
    const tree = await fleet.head()
    const paths = [values, virtualMachine]
    expect(changesIn(outcome).map(({ path, expect: before }) => [path, before])).toEqual(
      await Promise.all(paths.map(async (path) => [path, await tree.oid(path)])),
    )
    expect(written(outcome)[virtualMachine]).toContain('runStrategy: "Halted"')
  })

  it('is empty where there is nothing to change, and leaves the operation of the round before', async () => {
    const definition = databaseServer({ running: false })
    const { outcome } = await building(stopping(), definition)
    expect(outcome).toEqual({
      kind: 'succeeded',
      message: 'Nothing to change for shop/db-01 on site-a',
      facts: { definition },
      changes: [],
    })
  })

  it('is empty at a second delivery after the commit, also of an edit that would do more each time', async () => {
    const run = changing('snapshot', { snapshot: 'a' }, 'snapshot.build')
    const { fleet, outcome } = await building(run)
    expect(changesIn(outcome)).toHaveLength(3)
    await commit(fleet, run, outcome)
    expect(await change(run, await fleet.head(), buildSettings)).toMatchObject({
      kind: 'succeeded',
      facts: { definition: { snapshots: [{ name: 'db-01-a' }] } },
      changes: [],
    })
  })

  it.each<[string, string | null, string]>([
    ['edited', 'kind: VirtualMachine\n', virtualMachine],
    ['removed', null, virtualMachine],
    ['added', 'kind: ConfigMap\n', `${folder}/configmap-mine.yaml`],
  ])('refuses a machine with a manifest that was %s by hand, and names the file', async (_, text, path) => {
    const { outcome } = await building(stopping(), databaseServer(), { [path]: text })
    expect(outcome).toMatchObject({
      kind: 'refused',
      message: `Cannot change shop/db-01 on site-a: ${path} is not what the definition renders to: put it right by hand first`,
    })
  })

  it('says what was edited by hand and what the request cannot have in one sentence', async () => {
    const run = changing('resize', { grow: { data: '1Gi' } }, 'resize.build')
    const { outcome } = await building(run, databaseServer(), { [virtualMachine]: 'mine\n' })
    expect(outcome).toMatchObject({
      kind: 'refused',
      message: `Cannot change shop/db-01 on site-a: ${virtualMachine} is not what the definition renders to: put it right by hand first; grow.data is "1Gi", wanted more than "200Gi": a disk never shrinks`,
    })
  })

  it.each<[string, string | null, string]>([
    ['is gone', null, `${values} is not there any more`],
    ['breaks its schema', 'name: db-01\n', `${values}: namespace is missing`],
  ])('refuses a machine whose definition %s', async (_, text, problem) => {
    const { outcome } = await building(stopping(), databaseServer(), { [values]: text })
    expect(outcome).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining(`Cannot change shop/db-01 on site-a: ${problem}`),
    })
  })

  it('lets a data disk leave Git that the request lets go of', async () => {
    const run = changing('resize', { detach: ['wal'] }, 'resize.build')
    const { outcome } = await building(run, databaseServer({ running: false }))
    expect(written(outcome)).toMatchObject({ [`${folder}/datavolume-db-01-data-wal-4f3104.yaml`]: null })
  })

  it('writes down a data disk that the request lets go of, for another machine to take', async () => {
    const run = changing('resize', { detach: ['wal'] }, 'resize.build', {
      facts: { claims: { 'db-01-data-wal-4f3104': 'uid-wal', 'db-01-data-data-4f3104': 'uid-data' } },
    })
    const { outcome } = await building(run, databaseServer({ running: false }))
    const kept = Object.entries(written(outcome)).filter(([path]) => path.startsWith('kept/'))
    expect(kept.map(([path, text]) => [path, parseYaml(text ?? '')])).toEqual([
      [
        keptFile('site-a', 'shop', 'db-01-data-wal-4f3104'),
        {
          ...{ disk: 'db-01-data-wal-4f3104', cluster: 'site-a', namespace: 'shop', machine: 'db-01' },
          ...{ run: run.id, since: run.since, size: '50Gi', uid: 'uid-wal' },
        },
      ],
    ])
  })

  it('writes down no disk that the machine goes on with under its claim', async () => {
    const run = changing('resize', { grow: { wal: '60Gi' } }, 'resize.build')
    const { outcome } = await building(run)
    expect(Object.keys(written(outcome)).filter((path) => path.startsWith('kept/'))).toEqual([])
  })

  it('writes down the data disks from before a restore to new disks: they leave Git and stay on the cluster', async () => {
    const old = ['db-01-data-data-4f3104', 'db-01-data-wal-4f3104']
    const disks = ['db-01-root-71f75f7d', ...old]
    const since = '2030-01-01T00:00:00.000Z'
    const clean = { name: 'db-01-clean', purpose: 'asked' as const, run: 'r', taken: since, disks }
    const volumes = { rootdisk: 'vs-root', 'data-data': 'vs-data', 'data-wal': 'vs-wal' }
    const run = changing('restore', { snapshot: 'clean' }, 'restore.build', {
      facts: { restoring: 'new disks', restoredFrom: { snapshot: 'db-01-clean', volumes } },
    })
    const { outcome } = await building(run, databaseServer({ running: false, snapshots: [clean] }))
    const changes = written(outcome)
    for (const disk of old) {
      expect(changes[`${folder}/datavolume-${disk}.yaml`]).toBeNull()
      expect(parseYaml(changes[keptFile('site-a', 'shop', disk)] ?? '')).toMatchObject({ disk, machine: 'db-01' })
    }
    expect(Object.keys(changes)).toContain(`${folder}/datavolume-db-01-data-data-012345.yaml`)
  })

  it.each<[string, Partial<Record<'state' | 'task', string>> | null, string]>([
    ['a run that has ended', null, 'Run 0123456789abcdef0123 has ended: there is nothing to build'],
    [
      'a run that is being undone',
      { state: 'undoing' },
      'Run 0123456789abcdef0123 has ended: there is nothing to build',
    ],
    [
      'a run that is further',
      { task: 'start.commit' },
      'Run 0123456789abcdef0123 is further than stop: its event comes too late',
    ],
  ])('ignores an event of %s', async (_, state, message) => {
    const run = stopping()
    const fleet = await fleetHaving(databaseServer())
    await commitAs(run, fleet)
    const record = parseYaml((await (await fleet.head()).read(runFile(run.id))) ?? '') as object
    fleet.put({ [runFile(run.id)]: state && toYaml({ ...record, ...state }) })
    expect(await change(run, await fleet.head(), buildSettings)).toEqual({ kind: 'ignored', message })
  })

  it.each<[string, LifecycleName, string, object]>([
    ['a round of another lifecycle', 'power', 'patch.build', {}],
    ['a machine that is not there yet', 'provision', 'create.build', {}],
    ['a machine without a name', 'power', 'stop.build', { name: undefined }],
    ['a machine without a cluster', 'power', 'stop.build', { cluster: undefined }],
  ])('cannot read an event of %s', async (_, lifecycle, task, facts) => {
    const run = { ...changing(lifecycle, {}, task), facts: { name: 'db-01', cluster: 'site-a', ...facts } } as Run
    const tree = await (await fleetHaving()).head()
    await expect(change(run, tree, buildSettings)).rejects.toMatchObject({
      reason: 'unreadable',
      message: `Cannot build ${task}: run ${run.id} has found no machine`,
    })
  })
})

describe('the removal of a machine', () => {
  const archive = 'archive/2030/01-01/db-01-0123456789abcdef0123'
  const wal = 'db-01-data-wal-4f3104'
  const data = 'db-01-data-data-4f3104'
  const removing = () =>
    changing('deprovision', {}, 'remove.build', { facts: { claims: { [data]: 'uid-data', [wal]: 'uid-wal' } } })
  const off = (disks: Definition['disks'] = databaseServer().disks) => databaseServer({ running: false, disks })

  it('moves every file of the machine into the archive, but for its lock', async () => {
    const lock = lockFile('site-a', 'shop', 'db-01')
    const { fleet, outcome } = await building(removing(), off(), {
      [lock]: 'run: 0123456789abcdef0123\n',
      [placementFile('db-01')]: 'kind: Placement\n',
    })
    const before = Object.entries(await fleet.files()).filter(([path]) => path.startsWith('vms/') && path !== lock)
    const changes = written(outcome)
    for (const [path, content] of before) {
      expect(changes[path]).toBeNull()
      expect(changes[path.replace('vms/site-a/shop/db-01', archive)]).toBe(content)
    }
    expect(changes).toMatchObject({
      'hub/applications/site-a/shop/db-01.yaml': null,
      [`${archive}/application-db-01.yaml`]: expect.stringContaining('kind: "Application"'),
      [placementFile('db-01')]: null,
      [`${archive}/placement-db-01.yaml`]: 'kind: Placement\n',
    })
    expect(Object.keys(changes)).not.toContain(lock)
    expect(outcome.message).toBe(`Archived shop/db-01 on site-a: ${Object.keys(changes).length} files`)
  })

  it('writes down each data disk that is kept, with all that another machine needs to take it', async () => {
    const grown = { name: 'data', size: '300Gi', made: '200Gi', storageClass: 'fast' }
    const taken = { name: 'old', size: '1Gi', claim: 'web-09-data-old-ffffff', snapshot: 'snap-1' }
    const { outcome } = await building(removing(), off([grown, taken]))
    const kept = Object.entries(written(outcome)).filter(([path]) => path.startsWith('kept/'))
    const common = {
      cluster: 'site-a',
      namespace: 'shop',
      machine: 'db-01',
      run: '0123456789abcdef0123',
      since: '2030-01-01T10:00:00.000Z',
    }
    expect(kept.map(([path, text]) => [path, parseYaml(text ?? '')])).toEqual([
      [
        keptFile('site-a', 'shop', data),
        { disk: data, ...common, size: '300Gi', made: '200Gi', storageClass: 'fast', uid: 'uid-data' },
      ],
      [keptFile('site-a', 'shop', taken.claim), { disk: taken.claim, ...common, size: '1Gi', snapshot: 'snap-1' }],
    ])
  })

  it('keeps nothing of a disk that is to be destroyed', async () => {
    const { outcome } = await building(
      removing(),
      off([
        { name: 'data', size: '200Gi' },
        { name: 'wal', size: '50Gi', destroyed: true },
      ]),
    )
    expect(Object.keys(written(outcome)).filter((path) => path.startsWith('kept/'))).toEqual([
      keptFile('site-a', 'shop', data),
    ])
  })

  it('is empty at a second delivery after the commit, with the definition that there was', async () => {
    const run = removing()
    const { fleet, outcome } = await building(run, off())
    await commit(fleet, run, outcome)
    const again = { ...run, facts: { ...run.facts, definition: off() } }
    expect(await change(again, await fleet.head(), buildSettings)).toEqual({
      kind: 'succeeded',
      message: 'Archived shop/db-01 on site-a already',
      facts: { definition: off() },
      changes: [],
    })
  })

  it('refuses a machine that nobody has seen and that is not there', async () => {
    const { outcome } = await building(removing(), off(), { [values]: null })
    expect(outcome).toMatchObject({
      kind: 'refused',
      message: `Cannot remove shop/db-01 on site-a: ${values} is not there any more`,
    })
  })

  it('can be recorded: what it removes is written down as it was', async () => {
    const run = removing()
    const { fleet, outcome } = await building(run, off())
    const tree = await fleet.head()
    const changes = await recorded(tree, run, run.facts, changesIn(outcome))
    const record = parseYaml(changes.at(-1)?.content ?? '') as { wrote: Record<string, unknown> }
    expect(record.wrote[values]).toEqual({ before: await tree.oid(values), after: null })
  })
})
