import { describe, expect, it } from 'vitest'
import { create } from '../../../functions/build/create.ts'
import { conflicting, readRecord } from '../../../shared/ledger.ts'
import { toLock } from '../../../shared/lock.ts'
import { keptFile, lockFile, runFile } from '../../../shared/paths.ts'
import type { Definition } from '../../../shared/schema/definition.ts'
import type { Outcome } from '../../../shared/step.ts'
import { toYaml } from '../../../shared/yaml.ts'
import { memoryFleet } from '../../fleet.ts'
import { databaseServer } from '../../shared/kubevirt/definitions.ts'
import { fleetOf, runWith } from './runs.ts'

const settings = {
  repoUrl: 'https://git.example.com/fleet.git',
  branch: 'main',
  namespace: 'argocd',
  project: 'default',
  rootApplication: 'drover-hub',
}
const runOf = (definition: Definition = databaseServer()) => runWith('create.build', { name: 'db-01', definition })
const changesIn = (outcome: Outcome) => (outcome.kind === 'succeeded' ? (outcome.changes ?? []) : [])
const folder = 'vms/site-a/shop/db-01'

describe('create', () => {
  it('builds every file of the machine, each expected to be new', async () => {
    const run = runOf()
    const fleet = await fleetOf(run)
    const outcome = await create(run, await fleet.head(), settings)
    expect(outcome).toMatchObject({ kind: 'succeeded', message: 'Built 13 files for db-01 on site-a' })
    const changes = changesIn(outcome)
    expect(changes).toHaveLength(13)
    for (const { expect: before } of changes) expect(before).toBeNull()
    expect(await conflicting(await fleet.head(), changes)).toBeUndefined()
  })

  it('answers the same files after the run has committed them', async () => {
    const run = runOf()
    const first = changesIn(await create(run, await (await fleetOf(run)).head(), settings))
    const wrote = Object.fromEntries(first.map(({ path, content }) => [path, content ?? '']))
    const again = changesIn(await create(run, await (await fleetOf(run, wrote)).head(), settings))
    const own = first.filter(({ path }) => !/^namespaces|applications\/site-a\/shop\.yaml$/.test(path))
    expect(again.map(({ path, content }) => ({ path, content }))).toEqual(
      own.map(({ path, content }) => ({ path, content })),
    )
  })

  it('ignores an event of a run that has ended', async () => {
    const run = runOf()
    const message = `Run ${run.id} has ended: there is nothing to build`
    expect(await create(run, await memoryFleet().head(), settings)).toEqual({ kind: 'ignored', message })
    const undoing = memoryFleet({ [runFile(run.id)]: toYaml({ run: run.id, state: 'undoing' }) })
    expect(await create(run, await undoing.head(), settings)).toEqual({ kind: 'ignored', message })
  })

  it.each<[string, Record<string, string>, string]>([
    [
      'a file of somebody else in the machine’s folder, also one it would not touch',
      { [`${folder}/notes/why.md`]: 'mine' },
      `Cannot create db-01: ${folder}/notes/why.md is there already and not this run's`,
    ],
    [
      'an Application of somebody else',
      { 'hub/applications/site-a/shop/db-01.yaml': 'mine' },
      "hub/applications/site-a/shop/db-01.yaml is there already and not this run's",
    ],
    [
      'a change set that would remove a data disk',
      {
        [`${folder}/manifests/datavolume-db-01-data-old.yaml`]: toYaml({
          kind: 'DataVolume',
          metadata: { name: 'db-01-data-old', labels: { 'drover.dev/disk': 'data' } },
        }),
      },
      'would remove the data disk "db-01-data-old"',
    ],
  ])('refuses %s', async (_, files, message) => {
    const run = runOf()
    const fleet = await fleetOf(run)
    fleet.put(files)
    const outcome = await create(run, await fleet.head(), settings)
    expect(outcome).toMatchObject({ kind: 'refused', message: expect.stringContaining(message) })
  })

  const lock = lockFile('site-a', 'shop', 'db-01')
  const other = { ...runOf(), id: 'ffffffffffffffffffff' }

  it('takes the place of a lock whose run is over, and of no other', async () => {
    const run = runOf()
    const fleet = await fleetOf(run)
    fleet.put({ [lock]: toLock(other) })
    const outcome = await create(run, await fleet.head(), settings)
    expect(outcome).toMatchObject({ kind: 'succeeded' })
    expect(changesIn(outcome).find(({ path }) => path === lock)?.content).toBe(toLock(run))
    fleet.put({ [runFile(other.id)]: toYaml({ run: other.id, state: 'running' }) })
    expect(await create(run, await fleet.head(), settings)).toEqual({
      kind: 'refused',
      message: `Cannot create db-01: ${lock} is there already and not this run's`,
      facts: {},
    })
  })

  it('takes kept disks off the list of those that another machine may take', async () => {
    const claim = 'db-09-data-old-ffffff'
    const kept = keptFile('site-a', 'shop', claim)
    const { disks } = databaseServer()
    const old = { name: 'old', size: '1Gi', claim }
    const definition = databaseServer({ disks: [...disks, old] })
    const run = runWith('create.build', { name: 'db-01', definition, attached: [old] })
    const fleet = await fleetOf(run)
    fleet.put({ [kept]: 'disk: old\n' })
    const tree = await fleet.head()
    const outcome = await create(run, tree, settings)
    const changes = changesIn(outcome).filter(({ path }) => path === kept)
    expect(changes).toEqual([{ path: kept, content: null, expect: await tree.oid(kept) }])
    // Built a second time, once they are its own.
    const record = await readRecord(tree, run.id)
    fleet.put({
      [kept]: null,
      [runFile(run.id)]: toYaml({ ...record, wrote: { [kept]: { before: 'x', after: null } } }),
    })
    expect(await create(run, await fleet.head(), settings)).toMatchObject({ kind: 'succeeded' })
  })

  it('does without a disk that another machine has taken meanwhile', async () => {
    const old = { name: 'old', size: '1Gi', claim: 'db-09-data-old-ffffff' }
    const definition = databaseServer({ disks: [old] })
    const run = runWith('create.build', { name: 'db-01', definition, attached: [old] })
    expect(await create(run, await (await fleetOf(run)).head(), settings)).toMatchObject({
      kind: 'refused',
      message:
        'Cannot create db-01: kept/site-a/shop/db-09-data-old-ffffff.yaml is gone: another machine has taken that disk',
    })
  })

  it('says all that keeps a machine from being made at once', async () => {
    const run = runOf(databaseServer({ name: 'drover-hub' }))
    const fleet = await fleetOf(run)
    fleet.put({ 'vms/site-a/shop/drover-hub/notes.md': 'mine' })
    expect((await create(run, await fleet.head(), settings)).message).toBe(
      'Cannot create drover-hub: its Application would take the place of "drover-hub", which applies the hub; vms/site-a/shop/drover-hub/notes.md is there already and not this run\'s',
    )
  })

  it('takes the files of a namespace that is there as they are', async () => {
    const run = runOf()
    const fleet = await fleetOf(run)
    fleet.put({ 'namespaces/site-a/shop/namespace.yaml': 'x', 'hub/applications/site-a/shop.yaml': 'y' })
    expect(changesIn(await create(run, await fleet.head(), settings))).toHaveLength(11)
  })

  it('refuses a machine whose Application would take the root Application’s place', async () => {
    const run = runOf(databaseServer({ name: 'drover-hub' }))
    const outcome = await create(run, await (await fleetOf(run)).head(), settings)
    expect(outcome).toMatchObject({
      kind: 'refused',
      message: 'Cannot create drover-hub: its Application would take the place of "drover-hub", which applies the hub',
    })
  })

  it('cannot read a run without a definition', async () => {
    const run = runWith('create.build', {})
    await expect(create(run, await memoryFleet().head(), settings)).rejects.toMatchObject({
      reason: 'unreadable',
      message: `Cannot build: run ${run.id} has no definition yet`,
    })
  })
})
