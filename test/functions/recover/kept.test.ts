import { describe, expect, it } from 'vitest'
import { undone } from '../../../functions/recover/ended.ts'
import { madeDisks } from '../../../functions/recover/made-disks.ts'
import { trailersOf } from '../../../shared/ledger.ts'
import type { LifecycleName, RoundName } from '../../../shared/lifecycles.ts'
import type { Facts, Run } from '../../../shared/step.ts'
import { memoryFleet } from '../../fleet.ts'
import { databaseServer } from '../../shared/kubevirt/definitions.ts'
import { foundOut, runWith } from '../build/runs.ts'
import { changing } from '../changes.ts'

const failure = { task: 'check', title: 'Check the machine', message: 'Cannot accept VM db-01' }
const { identity } = databaseServer()
const { machine } = foundOut()

const making = (facts: Facts = {}): Run => ({ ...runWith('undo', foundOut(facts)), failure })
const withDisks = (...names: string[]): Facts => ({
  machine: { ...(machine as NonNullable<typeof machine>), disks: names.map((name) => ({ name, size: '1Gi' })) },
})
const changingIt = (lifecycle: LifecycleName, said: object, facts: Facts = {}): Run =>
  changing(lifecycle, said, 'undo', { failure, facts: { identity, ...facts } })
const add = [
  { name: 'logs', size: '1Gi' },
  { name: 'tmp', size: '2Gi' },
]
const volumes = { rootdisk: 'vs-root', 'data-data': 'vs-data', 'data-wal': 'vs-wal' }

/** What an undo says of a run, which has made this commit or none. */
async function said(run: Run, round?: RoundName) {
  const fleet = memoryFleet()
  if (round)
    await fleet.transact({
      subject: round,
      trailers: trailersOf({ ...run, task: `${round}.commit` }),
      decide: async () => ({ changes: [], value: undefined, mark: true }),
    })
  return undone(run, fleet)
}

describe('the data disks that an undo leaves', () => {
  it.each<[what: string, run: Run, round: RoundName, cluster: string, kept: string[]]>([
    [
      'those that came with the machine, and those that it took',
      making({
        ...withDisks('db'),
        attached: [
          { name: 'old', size: '1Gi', claim: 'web-09-data-old-ffffff' },
          { name: 'new', size: '1Gi' },
        ],
      }),
      'create',
      'site-a',
      ['shop/web-01-data-db-4f3104', 'shop/web-09-data-old-ffffff'],
    ],
    [
      'those that were added',
      changingIt('resize', { add }),
      'resize',
      'site-a',
      ['shop/db-01-data-logs-012345', 'shop/db-01-data-tmp-012345'],
    ],
    [
      'those that were made from a snapshot, but for the root disk',
      changingIt('restore', { snapshot: 'clean' }, { restoredFrom: { snapshot: 'db-01-clean', volumes } }),
      'restore',
      'site-a',
      ['shop/db-01-data-data-012345', 'shop/db-01-data-wal-012345'],
    ],
  ])('are %s, once the run has committed them', async (_, run, round, cluster, kept) => {
    const back = 'Everything was put back after: Cannot accept VM db-01'
    expect(await said(run, round)).toEqual({
      kind: 'succeeded',
      message: `${back}. Kept on ${cluster}, because data disks are never removed: ${kept.join(', ')}`,
      facts: { kept },
    })
    expect(await said(run)).toEqual({ kind: 'succeeded', message: back, facts: { kept: [] } })
  })

  it.each<[string, Run, RoundName]>([
    ['a machine without any', making(), 'create'],
    ['a resize that adds none', changingIt('resize', { grow: { data: '300Gi' } }), 'resize'],
    ['a restore in place', changingIt('restore', { snapshot: 'clean' }), 'restore'],
    ['a patch, which makes none', changingIt('patch', {}), 'patch'],
  ])('are none of %s', async (_, run, round) => {
    expect(await said(run, round)).toMatchObject({ facts: { kept: [] } })
    expect(madeDisks(run)).toEqual([])
  })

  it.each<[string, Run]>([
    ['name', { ...making(withDisks('db')), facts: { ...withDisks('db'), identity } }],
    ['identity', { ...making(), facts: { ...withDisks('db'), name: 'web-01' } }],
  ])('are none where a run has failed before it had a %s', (_, run) => {
    expect(madeDisks(run)).toEqual([])
  })
})
