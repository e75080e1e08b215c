import { describe, expect, it } from 'vitest'
import { create } from '../../../functions/build/create.ts'
import { conflicting } from '../../../shared/ledger.ts'
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
    expect(await create(runOf(), await memoryFleet().head(), settings)).toMatchObject({ kind: 'ignored' })
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
    await expect(create(run, await memoryFleet().head(), settings)).rejects.toMatchObject({ reason: 'unreadable' })
  })
})
