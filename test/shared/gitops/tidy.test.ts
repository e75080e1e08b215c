import { describe, expect, it } from 'vitest'
import { expired, tidied } from '../../../shared/gitops/tidy.ts'
import { definitionFile, dueFile, manifestsFolder } from '../../../shared/paths.ts'
import type { Definition } from '../../../shared/schema/definition.ts'
import { parseYaml } from '../../../shared/yaml.ts'
import { fleetHaving, machineOf } from '../../functions/changes.ts'
import { databaseServer, oldRoot } from '../kubevirt/definitions.ts'

const now = '2030-01-09T00:00:00.000Z'
const over = oldRoot('db-01-root-over', '2030-01-08T10:00:00.000Z')
const left = oldRoot('db-01-root-left', '2030-01-12T10:00:00.000Z')
const values = definitionFile('site-a', 'shop', 'db-01')
const manifest = (file: string) => `${manifestsFolder('site-a', 'shop', 'db-01')}/${file}.yaml`
const address = machineOf(databaseServer())

/** What is changed of a machine, by path; its definition as it is read. */
async function changesTo(definition: Definition, act: typeof tidied) {
  const fleet = await fleetHaving(definition)
  // Files that somebody has changed or added by hand are none of a tidy's business.
  fleet.put({
    [manifest('virtualmachine-db-01')]: 'by: hand\n',
    [manifest('persistentvolumeclaim-mine')]: 'by: hand\n',
    [dueFile('2030-01-12', 'site-a', 'shop', 'db-01')]: null,
  })
  const changes = await act(await fleet.head(), address, now)
  return Object.fromEntries(
    changes.map(({ path, content }) => [path, path === values ? (parseYaml(content ?? '') as unknown) : content]),
  )
}

describe('a run that closes', () => {
  const work = {
    restore: { name: 'db-01-back', snapshot: 'db-01-clean' },
    migration: { name: 'db-01-move' },
  } satisfies Partial<Definition>

  it('takes out of a definition what only the run needed and what is over, with their files and no other', async () => {
    const changes = await changesTo(databaseServer({ ...work, oldRoots: [over, left] }), tidied)
    expect(changes).toEqual({
      [values]: databaseServer({ oldRoots: [left] }),
      [manifest('virtualmachinerestore-db-01-back')]: null,
      [manifest('virtualmachineinstancemigration-db-01-move')]: null,
      [manifest('datavolume-db-01-root-over')]: null,
      [dueFile('2030-01-12', 'site-a', 'shop', 'db-01')]: expect.any(String),
    })
  })

  it('notes when to look again where nothing is over yet, and leaves all else', async () => {
    expect(Object.keys(await changesTo(databaseServer({ oldRoots: [left] }), tidied))).toEqual([
      dueFile('2030-01-12', 'site-a', 'shop', 'db-01'),
    ])
    expect(await changesTo(databaseServer(), tidied)).toEqual({})
  })

  it('leaves what cannot be read, or is not there', async () => {
    const fleet = await fleetHaving()
    fleet.put({ [values]: 'name: 7\n' })
    expect(await tidied(await fleet.head(), address, now)).toEqual([])
    expect(await tidied(await fleet.head(), { ...address, name: 'gone' }, now)).toEqual([])
  })
})

describe('a machine that nobody holds', () => {
  it('lets go of what is over, and of nothing else', async () => {
    const definition = databaseServer({ oldRoots: [over, left], restore: { name: 'db-01-back', snapshot: 's' } })
    const changes = await changesTo(definition, async (...where) => (await expired(...where)).changes)
    expect(changes).toEqual({
      [values]: { ...definition, oldRoots: [left] },
      [manifest('datavolume-db-01-root-over')]: null,
    })
  })

  it('is left as it is where nothing is over', async () => {
    const definition = databaseServer({ oldRoots: [left] })
    const tree = await (await fleetHaving(definition)).head()
    expect(await expired(tree, address, now)).toEqual({ changes: [], definition })
    expect(await expired(tree, { ...address, name: 'gone' }, now)).toEqual({ changes: [] })
  })

  it('is not guessed at where it cannot be read', async () => {
    const fleet = await fleetHaving()
    fleet.put({ [values]: 'name: 7\n' })
    await expect(expired(await fleet.head(), address, now)).rejects.toMatchObject({
      reason: 'refused',
      message: expect.stringContaining('; '),
    })
  })
})
