import { describe, expect, it } from 'vitest'
import { commit } from '../../../functions/commit/commit.ts'
import type { Change } from '../../../shared/fleet.ts'
import { fileName } from '../../../shared/gitops/change-set.ts'
import { claimOf } from '../../../shared/kubevirt/manifest.ts'
import { render } from '../../../shared/kubevirt/render.ts'
import { expecting, readRecord } from '../../../shared/ledger.ts'
import { definitionFile, keptFile, namespaceApplicationFile, runFile } from '../../../shared/paths.ts'
import type { Definition } from '../../../shared/schema/definition.ts'
import type { Run } from '../../../shared/step.ts'
import { toYaml } from '../../../shared/yaml.ts'
import type { MemoryFleet } from '../../fleet.ts'
import { databaseServer, linuxServer } from '../../shared/kubevirt/definitions.ts'
import { fleetOf, foundOut, runWith } from '../build/runs.ts'
import { changing } from '../changes.ts'

const folder = 'vms/site-a/shop/web-01'
const shared = ['namespaces/site-a/shop/namespace.yaml', namespaceApplicationFile('site-a', 'shop')]
const files = [`${folder}/values.yaml`, `${folder}/manifests/vm.yaml`, ...shared]
const changes = files.map((path) => ({ path, content: `${path}\n` }))

/** The manifests of a machine, by their paths. */
const toChangesOf = (definition: Definition): Record<string, string> =>
  Object.fromEntries(
    render(definition).map((manifest) => [
      `vms/site-a/shop/${definition.name}/manifests/${fileName(manifest)}`,
      toYaml(manifest),
    ]),
  )

/** A run that has built its change set over this fleet. */
async function built(change: Partial<Run> = {}): Promise<{ run: Run; fleet: MemoryFleet }> {
  const run = { ...runWith('create.commit', foundOut({ definition: linuxServer() })), ...change }
  const fleet = await fleetOf(run)
  return { fleet, run: { ...run, changes: await expecting(await fleet.head(), changes) } }
}

describe('commit', () => {
  it('makes one commit of the change set and of the record of it', async () => {
    const { run, fleet } = await built()
    const outcome = await commit(run, fleet)
    const [made, ...others] = fleet.commits
    expect(outcome).toEqual({
      kind: 'succeeded',
      message: `Pushed 4 files in commit ${made?.revision.slice(0, 10)}`,
      facts: { revision: made?.revision },
    })
    expect(others).toEqual([])
    expect(Object.keys(made?.changes ?? {}).sort()).toEqual([...files, runFile(run.id)].sort())
    expect(made?.message).toContain(`provision shop/web-01 on site-a: run ${run.id}`)
    expect(made?.message).toContain(`Drover-Run: ${run.id}\nDrover-Step: create.commit`)
  })

  it('records what an undo puts back, without what machines share and without the definition', async () => {
    const { run, fleet } = await built()
    await commit(run, fleet)
    const record = await readRecord(await fleet.head(), run.id)
    expect(Object.keys(record?.wrote ?? {})).toEqual(files.slice(0, 2))
    expect(record?.wrote[files[0] ?? '']).toEqual({ before: null, after: expect.stringMatching(/^[0-9a-f]{40}$/) })
    expect(record?.facts).not.toHaveProperty('definition')
  })

  it('answers the same at the second delivery, however much came between', async () => {
    const { run, fleet } = await built()
    const first = await commit(run, fleet)
    fleet.put({ 'other.yaml': 'x' })
    expect(await commit(run, fleet)).toEqual(first)
    expect(fleet.commits).toHaveLength(1)
  })

  it('refuses for a run whose addresses are not in Git any more: they may be somebody else’s', async () => {
    const { run } = await built()
    const fleet = await fleetOf({ ...run, facts: { name: 'web-01' } })
    expect(await commit(run, fleet)).toEqual({
      kind: 'refused',
      message: `Cannot go on with run ${run.id}: what it had committed is not in the branch any more, for its history was rewritten`,
      facts: {},
    })
    expect(fleet.commits).toEqual([])
  })

  it('commits once for concurrent deliveries', async () => {
    const { run, fleet } = await built()
    const [first, second] = await Promise.all([commit(run, fleet), commit(run, fleet)])
    expect(second).toEqual(first)
    expect(fleet.commits).toHaveLength(1)
  })

  it('goes on when somebody else’s commit comes first', async () => {
    const { run, fleet } = await built()
    fleet.interfere({ 'other.yaml': 'x' })
    expect(await commit(run, fleet)).toMatchObject({ kind: 'succeeded' })
    expect(await fleet.files()).toMatchObject({ 'other.yaml': 'x', [files[0] ?? '']: `${files[0]}\n` })
  })

  it('refuses with the path that somebody else changed meanwhile, and writes nothing', async () => {
    const { run, fleet } = await built()
    fleet.interfere({ [`${folder}/values.yaml`]: 'mine\n' })
    expect(await commit(run, fleet)).toMatchObject({
      kind: 'refused',
      message: `Cannot push to Git: ${folder}/values.yaml was changed by somebody else since this run looked at it`,
    })
    expect(fleet.commits).toEqual([])
  })

  it('shares the files of a namespace with a machine that came first', async () => {
    const { run, fleet } = await built()
    fleet.interfere(Object.fromEntries(shared.map((path) => [path, `${path}\n`])))
    expect(await commit(run, fleet)).toMatchObject({ kind: 'succeeded' })
    expect(Object.keys(fleet.commits[0]?.changes ?? {})).not.toContain(shared[0])
  })

  describe('of data disks', () => {
    const server = databaseServer()
    const files = toChangesOf(server)
    const disk = Object.keys(files).find((path) => path.includes('datavolume-db-01-data-data')) ?? ''
    const claim = claimOf(server, { name: 'data' })
    const note = { path: keptFile('site-a', 'shop', claim), content: `disk: ${claim}\n` }
    const destroyed = databaseServer({ disks: server.disks.map((one) => ({ ...one, destroyed: true })) })

    it.each<[string, string | null, Definition, Change[], string | undefined]>([
      ['removed', null, server, [], `would remove the data disk "${claim}"`],
      ['shrunk', files[disk]?.replace('200Gi', '20Gi') ?? '', server, [], `would shrink the data disk "${claim}"`],
      ['removed and noted as kept', null, server, [note], undefined],
      ['removed and named to be destroyed', null, destroyed, [], undefined],
    ])(
      'pushes none where one is %s, unless it is said what becomes of it',
      async (_, content, definition, more, said) => {
        const run = runWith('create.commit', foundOut({ name: 'db-01', definition }))
        const fleet = await fleetOf(run)
        fleet.put(files)
        const changes = await expecting(await fleet.head(), [{ path: disk, content }, ...more])
        expect(await commit({ ...run, changes }, fleet)).toMatchObject(
          said === undefined
            ? { kind: 'succeeded' }
            : { kind: 'refused', message: expect.stringContaining(`Cannot push to Git: ${disk} ${said}`) },
        )
        expect(fleet.commits).toHaveLength(said === undefined ? 1 : 0)
      },
    )
  })

  it.each(['gone', 'undoing', 'stranded'])('ignores a change that comes when the run is %s', async (state) => {
    const { run, fleet } = await built()
    const text = (await fleet.files())[runFile(run.id)] ?? ''
    fleet.put({ [runFile(run.id)]: state === 'gone' ? null : text.replace('"running"', `"${state}"`) })
    expect(await commit(run, fleet)).toEqual({
      kind: 'ignored',
      message: `Run ${run.id} has ended or is being undone: its change comes too late`,
    })
    expect(fleet.commits).toEqual([])
  })

  it('says the same of what it took away when it is asked again, though the files are there again', async () => {
    const path = `${folder}/values.yaml`
    const run = runWith('create.commit', foundOut())
    const fleet = await fleetOf(run)
    fleet.put({ [path]: 'old\n' })
    const removing = { ...run, changes: await expecting(await fleet.head(), [{ path, content: null }]) }
    const first = await commit(removing, fleet)
    expect(await fleet.files()).not.toHaveProperty([path])
    fleet.put({ [path]: 'mine\n' })
    expect(await commit(removing, fleet)).toEqual(first)
    expect(first).toMatchObject({ kind: 'succeeded', message: expect.stringContaining('Pushed 1 files in commit') })
    expect(fleet.commits).toHaveLength(1)
  })

  it('commits nothing where Git has all of it, and names the newest commit', async () => {
    const { run, fleet } = await built()
    const gone = { path: `${folder}/manifests/old.yaml`, content: null, expect: null }
    fleet.put(Object.fromEntries(changes.map(({ path, content }) => [path, content])))
    const { revision } = await fleet.head()
    expect(await commit({ ...run, changes: [...(run.changes ?? []), gone] }, fleet)).toEqual({
      kind: 'succeeded',
      message: `Pushed 5 files in commit ${revision.slice(0, 10)}`,
      facts: { revision },
    })
    expect(fleet.commits).toEqual([])
  })

  it.each<[string, string | null]>([
    ['one of them is another', 'old\n'],
    ['one of them is missing', null],
  ])('commits where Git has the files but %s', async (_, content) => {
    const [last = ''] = files
    const run = runWith('create.commit', foundOut())
    const fleet = await fleetOf(run)
    fleet.put({ ...Object.fromEntries(changes.map(({ path, content }) => [path, content])), [last]: content })
    expect(await commit({ ...run, changes: await expecting(await fleet.head(), changes) }, fleet)).toMatchObject({
      kind: 'succeeded',
    })
    expect((await fleet.files())[last]).toBe(`${last}\n`)
    expect(fleet.commits).toHaveLength(1)
  })

  it.each([
    ['an empty change set', { changes: [] }],
    ['no change set', {}],
  ])('has nothing to push of %s', async (_, change) => {
    const run = { ...runWith('create.commit', foundOut()), ...change }
    const fleet = await fleetOf(run)
    expect(await commit(run, fleet)).toEqual({
      kind: 'succeeded',
      message: 'Nothing to push',
      facts: { revision: (await fleet.head()).revision },
    })
    expect(fleet.commits).toEqual([])
  })

  describe('of a round', () => {
    const path = definitionFile('site-a', 'shop', 'db-01')
    const pushing = async (round: 'stop' | 'save', content: string, fleet: MemoryFleet): Promise<Run> => {
      const changes = await expecting(await fleet.head(), [{ path, content }])
      return changing('patch', {}, `${round}.commit`, { changes })
    }

    it('goes on from what the round before has pushed', async () => {
      const fleet = await fleetOf(changing('patch', {}, 'locate'))
      for (const round of ['stop', 'save'] as const)
        expect(await commit(await pushing(round, `${round}\n`, fleet), fleet)).toMatchObject({ kind: 'succeeded' })
      expect(await fleet.files()).toMatchObject({ [path]: 'save\n' })
      expect(fleet.commits.map(({ subject }) => subject)).toEqual([
        expect.stringContaining('patch shop/db-01 on site-a: run '),
        expect.stringContaining('patch shop/db-01 on site-a: run '),
      ])
    })

    it('comes too late once a later round has pushed, though nothing else has changed', async () => {
      const fleet = await fleetOf(changing('patch', {}, 'locate'))
      await commit(await pushing('save', 'save\n', fleet), fleet)
      const late = await pushing('stop', 'stop\n', fleet)
      expect(await commit(late, fleet)).toEqual({
        kind: 'ignored',
        message: `Run ${late.id} has pushed another change set for this task already: the first one holds`,
      })
      expect(await fleet.files()).toMatchObject({ [path]: 'save\n' })
    })
  })
})
