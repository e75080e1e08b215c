import { describe, expect, it } from 'vitest'
import { complete } from '../../../functions/commit/complete.ts'
import { letGo } from '../../../functions/recover/retention.ts'
import { tick } from '../../../functions/recover/tick.ts'
import { dayOf } from '../../../shared/days.ts'
import { toLock } from '../../../shared/lock.ts'
import { dueFile, lockFile, manifestsFolder, runFile } from '../../../shared/paths.ts'
import type { Definition } from '../../../shared/schema/definition.ts'
import { parseYaml, toYaml } from '../../../shared/yaml.ts'
import type { MemoryFleet } from '../../fleet.ts'
import { databaseServer, oldRoot, askedSnapshot as snapshot } from '../../shared/kubevirt/definitions.ts'
import { changing, commitAs, fleetHaving, machineOf } from '../changes.ts'

const now = new Date('2030-01-09T00:00:10.000Z')
const yesterday = '2030-01-08T10:00:00.000Z'
const later = '2030-01-12T08:00:00.000Z'

const server = databaseServer({
  oldRoots: [oldRoot('db-01-root-1', yesterday), oldRoot('db-01-root-2', later)],
  snapshots: [snapshot('db-01-one', yesterday), snapshot('db-01-two')],
})
const values = 'vms/site-a/shop/db-01/values.yaml'
const folder = manifestsFolder('site-a', 'shop', 'db-01')
const noteOf = ({ cluster, namespace, name }: Definition, day = '2030-01-08') => dueFile(day, cluster, namespace, name)

/** A fleet with these machines, each to be looked at after the eighth. */
async function fleetOf(...definitions: Definition[]): Promise<MemoryFleet> {
  const fleet = await fleetHaving(...definitions)
  fleet.put(Object.fromEntries(definitions.map((one) => [noteOf(one), toYaml(machineOf(one))])))
  return fleet
}

async function definitionIn(fleet: MemoryFleet): Promise<Definition> {
  return parseYaml((await fleet.files())[values] ?? '', values) as Definition
}

describe('a tick', () => {
  it('takes away the old root disks and snapshots that are past their time, and nothing else', async () => {
    const fleet = await fleetOf(server)
    expect(await letGo(fleet, {}, now)).toEqual([])
    const { oldRoots, snapshots, ...rest } = await definitionIn(fleet)
    expect(oldRoots).toEqual([oldRoot('db-01-root-2', later)])
    expect(snapshots).toEqual([snapshot('db-01-two')])
    const { oldRoots: _, snapshots: __, ...before } = server
    expect(rest).toEqual(before)
    expect(fleet.commits).toMatchObject([
      {
        subject: 'Let go of what 1 machines kept until now',
        trailers: { run: 'tick', step: 'retention', requester: 'drover' },
      },
    ])
    expect(fleet.commits[0]?.changes).toEqual({
      [values]: expect.any(String),
      [`${folder}/datavolume-db-01-root-1.yaml`]: null,
      [`${folder}/virtualmachinesnapshot-db-01-one.yaml`]: null,
      [noteOf(server)]: null,
      [noteOf(server, '2030-01-12')]: expect.any(String),
    })
  })

  it('does so once: the next finds nothing, and neither does one at the same time', async () => {
    const fleet = await fleetOf(server)
    await Promise.all([letGo(fleet, {}, now), letGo(fleet, {}, now)])
    await letGo(fleet, {}, now)
    expect(fleet.commits).toHaveLength(1)
  })

  it.each<[string, Definition, string]>([
    ['today', server, '2030-01-08T23:59:00.000Z'],
    ['without an old root disk or snapshot that has a time', databaseServer(), now.toISOString()],
  ])('leaves a machine as it is %s', async (_, definition, when) => {
    const fleet = await fleetOf(definition)
    const before = await definitionIn(fleet)
    await letGo(fleet, {}, new Date(when))
    expect(await definitionIn(fleet)).toEqual(before)
  })

  it('takes a note away whose machine has nothing more to let go of, or is not there', async () => {
    const fleet = await fleetOf(databaseServer())
    fleet.put({ [dueFile('2030-01-07', 'site.a', 'shop', 'gone')]: '{}\n' })
    await letGo(fleet, {}, now)
    expect(Object.keys(await fleet.files()).filter((path) => path.startsWith('due/'))).toEqual([])
    expect(fleet.commits).toMatchObject([{ subject: 'Look at machines that keep something until now' }])
  })

  it('is not held up by a file among the notes that is none', async () => {
    const fleet = await fleetOf(server)
    fleet.put({ 'due/2030-01-01/aa/readme.yaml': '{}\n', 'due/2030-01-01/aa/a..b.yaml': '{}\n' })
    expect(await letGo(fleet, {}, now)).toEqual([])
    expect((await definitionIn(fleet)).oldRoots).toHaveLength(1)
  })

  it('makes a note of the day when the rest is over, of a cluster whose name has a dot in it', async () => {
    const fleet = await fleetOf({ ...server, cluster: 'site.a' })
    await letGo(fleet, {}, now)
    expect(Object.keys(await fleet.files())).toContain(dueFile('2030-01-12', 'site.a', 'shop', 'db-01'))
  })

  it('never touches a machine that a run holds', async () => {
    const fleet = await fleetOf(server)
    const run = changing('power', { action: 'stop' }, 'stop.commit')
    await commitAs(run, fleet, [{ path: lockFile('site-a', 'shop', 'db-01'), content: toLock(run) }])
    const before = await fleet.files()
    await letGo(fleet, {}, now)
    expect(await fleet.files()).toEqual(before)
  })

  it('is not held up by a machine whose lock cannot be read', async () => {
    const other = { ...server, name: 'db-02' }
    const fleet = await fleetOf(server, other)
    const lock = lockFile('site-a', 'shop', 'db-02')
    fleet.put({ [lock]: 'run: [\n' })
    expect(await letGo(fleet, {}, now)).toEqual([
      expect.stringMatching(/^Cannot look for what shop\/db-02 on site-a keeps: /),
    ])
    expect((await definitionIn(fleet)).oldRoots).toHaveLength(1)
    expect(await fleet.files()).toMatchObject({ [lock]: 'run: [\n', [noteOf(other, '2030-01-10')]: expect.any(String) })
  })

  it('frees a machine whose lock a run has left behind', async () => {
    const fleet = await fleetOf(server)
    const lock = lockFile('site-a', 'shop', 'db-01')
    fleet.put({ [lock]: toLock(changing('power', { action: 'stop' }, 'stop.commit')) })
    await letGo(fleet, {}, now)
    expect(Object.keys(await fleet.files())).not.toContain(lock)
    expect((await definitionIn(fleet)).oldRoots).toHaveLength(1)
  })

  it('never touches a machine that a run takes hold of at the same moment', async () => {
    const fleet = await fleetOf(server)
    const run = changing('power', { action: 'stop' }, 'stop.commit')
    const other = await fleetOf(server)
    await commitAs(run, other)
    const record = { [runFile(run.id)]: (await other.files())[runFile(run.id)] ?? '' }
    fleet.interfere({ ...record, [lockFile('site-a', 'shop', 'db-01')]: toLock(run) })
    await letGo(fleet, {}, now)
    expect(await definitionIn(fleet)).toEqual(server)
    expect(fleet.commits).toEqual([])
  })

  it('leaves files that the definition does not render to, and what a run left behind', async () => {
    const patch = {
      ...{ name: 'db-01-patch', image: 'x', volumeMode: 'Filesystem' as const, customization: { update: true } },
      deadlineSeconds: 60,
    }
    const fleet = await fleetOf({ ...server, patch })
    fleet.put({ [`${folder}/configmap-mine.yaml`]: 'mine\n' })
    await letGo(fleet, {}, now)
    expect((await fleet.files())[`${folder}/configmap-mine.yaml`]).toBe('mine\n')
    expect((await definitionIn(fleet)).patch).toEqual(patch)
  })

  it.each<[string, Partial<Definition>]>([
    ['has beside it', {}],
    ['has no more', { disks: [] }],
  ])('never takes a data disk away that a definition calls an old root disk, and %s', async (_, change) => {
    const data = 'db-01-data-data-4f3104'
    const fleet = await fleetOf({ ...server, ...change, oldRoots: [oldRoot(data, yesterday)] })
    const file = `${folder}/datavolume-${data}.yaml`
    fleet.put({ [file]: (await fleetHaving(databaseServer()).then((one) => one.files()))[file] ?? '' })
    await letGo(fleet, {}, now)
    expect(Object.keys(await fleet.files())).toContain(file)
  })

  it('says of a machine that cannot be read that it cannot, goes on with the others, and looks again tomorrow', async () => {
    const other = databaseServer({ name: 'db-02' })
    const fleet = await fleetOf(server, other)
    fleet.put({ 'vms/site-a/shop/db-02/values.yaml': 'nothing: 1\n' })
    expect(await letGo(fleet, {}, now)).toEqual([
      expect.stringMatching(
        /^Cannot look for what shop\/db-02 on site-a keeps: vms\/site-a\/shop\/db-02\/values.yaml: /,
      ),
    ])
    expect((await definitionIn(fleet)).oldRoots).toHaveLength(1)
    const files = Object.keys(await fleet.files())
    expect(files).toContain(noteOf(other, '2030-01-10'))
    expect(files).not.toContain(noteOf(other))
  })

  it('looks at so many machines and no more, the oldest notes first, and at the others the next time', async () => {
    const names = ['a', 'b', 'c', 'd', 'e']
    const fleet = await fleetHaving(databaseServer())
    const notes = names.map((name, at) => [dueFile(`2030-01-0${at + 1}`, 'site-a', 'shop', name), '{}\n'])
    fleet.put(Object.fromEntries(notes))
    const left = async () =>
      Object.keys(await fleet.files())
        .filter((path) => path.startsWith('due/'))
        .map((path) => path.split('.').at(-2))
    await letGo(fleet, { most: 2 }, now)
    expect(await left()).toEqual(['c', 'd', 'e'])
    await letGo(fleet, { most: 2 }, now)
    await letGo(fleet, { most: 2 }, now)
    expect(await left()).toEqual([])
  })

  it('passes over ten times as many that are held and no more, which the next time may be free', async () => {
    const held = Array.from({ length: 10 }, (_, at) => `held-${at}`)
    const fleet = await fleetHaving(databaseServer())
    const run = changing('power', { action: 'stop' }, 'stop.commit')
    await commitAs(run, fleet)
    const notes = [
      ...held.map((name) => dueFile('2030-01-07', 'site-a', 'shop', name)),
      dueFile('2030-01-08', 'site-a', 'shop', 'tail'),
    ]
    const locks = held.map((name) => [lockFile('site-a', 'shop', name), toLock(run)])
    fleet.put(Object.fromEntries([...notes.map((path) => [path, '{}\n']), ...locks]))
    await letGo(fleet, { most: 1 }, now)
    expect(fleet.commits).toEqual([])
    fleet.put({ [lockFile('site-a', 'shop', 'held-3')]: null })
    await letGo(fleet, { most: 1 }, now)
    expect(fleet.commits).toMatchObject([{ changes: { [dueFile('2030-01-07', 'site-a', 'shop', 'held-3')]: null } }])
  })

  it('reads nothing but the days that there are while none of them is over', async () => {
    const fleet = await fleetOf(server)
    const asked: string[] = []
    const noting = (path: string) => {
      asked.push(path)
      return path
    }
    const counting: typeof fleet = {
      ...fleet,
      transact: (transaction) =>
        fleet.transact({
          ...transaction,
          decide: (tree) =>
            transaction.decide({
              ...tree,
              list: (path) => tree.list(noting(path)),
              read: (path) => tree.read(noting(path)),
              oid: (path) => tree.oid(noting(path)),
            }),
        }),
    }
    await letGo(counting, {}, new Date('2030-01-08T12:00:00.000Z'))
    expect(asked).toEqual(['due'])
  })

  it('makes runs go on although nothing can be let go of', async () => {
    const fleet = await fleetOf(server)
    const transact = () => Promise.reject(new Error('the branch is protected'))
    const said = await tick({ ...fleet, transact }, { quietMilliseconds: 60_000 }, now)
    expect(said).toMatchObject({ standing: [], problems: ['the branch is protected'] })
  })
})

describe('a run that closes', () => {
  it.each<[string, Definition, string[]]>([
    ['notes when the first thing that its machine keeps is over', server, ['2030-01-08']],
    ['notes nothing where nothing is kept for a time', databaseServer(), []],
  ])('%s', async (_, definition, days) => {
    const fleet = await fleetHaving(definition)
    const run = changing('power', { action: 'start' }, 'complete', { at: '2030-01-02T00:00:00.000Z' })
    await commitAs(run, fleet)
    await complete(run, fleet)
    const notes = Object.keys(await fleet.files()).filter((path) => path.startsWith('due/'))
    expect(notes).toEqual(days.map((day) => noteOf(definition, day)))
    expect(dayOf(new Date(yesterday))).toBe('2030-01-08')
  })
})
