import { describe, expect, it } from 'vitest'
import { type Due, dueBefore, dueChanges, dueChangesOf, isExpired } from '../../../shared/gitops/due.ts'
import { definitionFile, dueFile } from '../../../shared/paths.ts'
import type { Definition } from '../../../shared/schema/definition.ts'
import { parseYaml } from '../../../shared/yaml.ts'
import { memoryFleet } from '../../fleet.ts'
import { fleetHaving, machineOf } from '../../functions/changes.ts'
import { askedSnapshot, databaseServer, oldRoot } from '../kubevirt/definitions.ts'

const now = '2030-01-09T00:00:00.000Z'
const root = (until: string) => oldRoot('db-01-root-old', until)
const snapshot = (until?: string) => askedSnapshot('db-01-one', until)
const noteOf = (day: string) => dueFile(day, 'site-a', 'shop', 'db-01')

describe('what is kept for a time', () => {
  it.each([
    ['has no time', undefined, false],
    ['is over a moment later', '2030-01-09T00:00:00.001Z', false],
    ['is over now', now, true],
    ['is over long since', '2029-12-01T00:00:00.000Z', true],
  ])('%s', (_, until, over) => {
    expect(isExpired(now)(until === undefined ? {} : { until })).toBe(over)
  })
})

describe('the note of when to look at a machine again', () => {
  it.each<[string, Partial<Definition>, string | undefined]>([
    ['is of no day where nothing is kept', {}, undefined],
    ['is of no day where all is kept for ever', { snapshots: [snapshot()] }, undefined],
    ['is of no day where nobody can read when it is over', { snapshots: [snapshot('soon')] }, undefined],
    [
      'is of the day on which the first of all is over',
      {
        oldRoots: [root('2030-01-20T08:00:00.000Z'), root('2030-01-12T08:00:00.000Z')],
        snapshots: [snapshot(), snapshot('soon'), snapshot('2030-01-15T08:00:00.000Z')],
      },
      '2030-01-12',
    ],
    [
      'is of a snapshot where there is no old disk',
      { snapshots: [snapshot('2030-01-15T08:00:00.000Z')] },
      '2030-01-15',
    ],
  ])('%s', async (_, kept, day) => {
    const tree = await memoryFleet({}).head()
    const notes = await dueChanges(tree, databaseServer(kept))
    expect(notes.map(({ path }) => path)).toEqual(day === undefined ? [] : [noteOf(day)])
    for (const { content } of notes) expect(parseYaml(content ?? '')).toEqual(machineOf(databaseServer()))
  })

  it('is not written where it is there', async () => {
    const kept = databaseServer({ oldRoots: [root('2030-01-12T08:00:00.000Z')] })
    expect(await dueChanges(await memoryFleet({ [noteOf('2030-01-12')]: '{}\n' }).head(), kept)).toEqual([])
  })

  it('is of the machine as the fleet has it, and of none that cannot be read or is not there', async () => {
    const kept = databaseServer({ oldRoots: [root('2030-01-12T08:00:00.000Z')] })
    const fleet = await fleetHaving(kept)
    fleet.put({ [definitionFile('site-a', 'shop', 'bad')]: 'name: 7\n', [noteOf('2030-01-12')]: null })
    const tree = await fleet.head()
    const of = async (name: string) => (await dueChangesOf(tree, { ...machineOf(kept), name })).map(({ path }) => path)
    expect([await of('db-01'), await of('bad'), await of('gone')]).toEqual([[noteOf('2030-01-12')], [], []])
  })
})

it('who looks is told of the notes before a day, of machines on any cluster, and of no file that is no note', async () => {
  const notes = [
    dueFile('2030-01-07', 'site.a', 'shop', 'web'),
    dueFile('2030-01-08', 'site-a', 'shop', 'db-01'),
    dueFile('2030-01-09', 'site-a', 'shop', 'today'),
    'due/2030-01-08/00/shop.web.yaml',
    'due/2030-01-08/00/site-a..web.yaml',
    'due/someday/00/site-a.shop.web.yaml',
  ]
  const tree = await memoryFleet(Object.fromEntries(notes.map((path) => [path, '{}\n']))).head()
  const due: Due[] = []
  for await (const one of dueBefore(tree, '2030-01-09')) due.push(one)
  expect(due).toEqual([
    { path: notes[0], address: { cluster: 'site.a', namespace: 'shop', name: 'web' } },
    { path: notes[1], address: { cluster: 'site-a', namespace: 'shop', name: 'db-01' } },
  ])
})
