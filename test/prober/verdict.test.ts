import { describe, expect, it } from 'vitest'
import type { Commit } from './history.ts'
import type { Heard } from './journal.ts'
import type { FleetModel } from './model.ts'
import type { Ended } from './requester.ts'
import { differences, runChecks } from './verdict.ts'
import type { Asked } from './wanted.ts'

const run = 'a'.repeat(20)
const asked: Asked = { lifecycle: 'patch', data: {}, expected: 'completed', id: 'one', run }
const ended: Ended = { asked, data: {}, terminal: 'completed', isHeard: true, reposts: 0, milliseconds: 1 }
const heard = (fact: string, more: Partial<Heard> = {}): Heard => ({
  ...{ at: 0, id: `${run}-${fact}`, type: `dev.drover.patch.${fact}`, source: '/drover/x', run },
  ...more,
})
const commit = (step: string): Commit => ({ id: '0123456789abcdef', run, step })

const well = { heard: [heard('validated'), heard('completed')], commits: [commit('locate'), commit('complete')], ended }

/** The titles of the promises that were not kept, with what is said of each. */
function broken({ heard, commits, ended }: typeof well, wanted = 1): Record<string, string[]> {
  const life = { name: 'm1', about: 'machine' as const, waves: [[asked]] }
  const checks = runChecks({
    wanted,
    went: [{ life, ended: [ended] }],
    listener: { of: () => heard },
    history: { of: () => commits, all: () => commits },
  })
  return Object.fromEntries(
    checks.flatMap(({ title, problems }) => (problems.length > 0 ? [[title, problems.map(({ says }) => says)]] : [])),
  )
}

describe('the verdict', () => {
  it('has nothing to say where all is well', () => {
    expect(broken(well)).toEqual({})
  })

  it('has nothing against an end that is said twice, or of which only Git tells', () => {
    expect(broken({ ...well, heard: [heard('completed'), heard('completed')] })).toEqual({})
    expect(broken({ ...well, heard: [heard('validated')] })).toEqual({})
  })

  const cases: [what: string, change: Partial<typeof well>, says: string][] = [
    ['is missing', { ended: { ...ended, terminal: 'missing' } }, 'nothing is heard of it any more'],
    ['has ended twice', { heard: [heard('completed'), heard('rolledback')] }, 'and as'],
    [
      'has ended otherwise in Git',
      { commits: ['locate', 'undo', 'undone'].map(commit) },
      'and Git that it is rolledback',
    ],
    ['has not ended in Git', { commits: [commit('locate')] }, 'and Git that it goes on'],
    ['was both in Git', { commits: ['complete', 'undo', 'undone'].map(commit) }, 'completed and given back'],
    ['has made a commit twice', { commits: [commit('locate'), ...well.commits] }, 'has committed locate twice'],
    ['is stranded', { ended: { ...ended, terminal: 'stranded' } }, 'it is stranded'],
    ['was refused for no reason', { ended: { ...ended, terminal: 'rolledback' } }, 'wanted completed'],
  ]
  it.each(cases)('tells of a run that %s', (_, change, says) => {
    expect(
      Object.values(broken({ ...well, ...change }))
        .flat()
        .join('\n'),
    ).toContain(says)
  })

  it('does not take what a deprovision releases for the end of an undo', () => {
    expect(broken({ ...well, commits: ['locate', 'release', 'complete'].map(commit) })).toEqual({})
  })

  it('tells of requests that were never asked for', () => {
    expect(Object.values(broken(well, 3)).flat()).toEqual([expect.stringContaining('2 were not asked for')])
  })

  it('lets a plan be answered each time that it comes, as long as it commits nothing', () => {
    const plan = { ...ended, asked: { ...asked, data: { plan: true } } }
    const twice = [heard('completed'), heard('rolledback')]
    expect(broken({ heard: twice, commits: [], ended: plan })).toEqual({})
    expect(Object.values(broken({ ...well, ended: plan })).flat()).toEqual([expect.stringContaining('it is a plan')])
  })

  const other = 'b'.repeat(20)
  it.each<[what: string, heard: Heard[], problems: number]>([
    [
      'is told of the other',
      [heard('locate.failed', { failure: `it is held by run ${other}` }), heard('validated')],
      0,
    ],
    ['is told of something else', [heard('locate.failed', { failure: 'the disk is full' })], 1],
    ['is not heard of again', [heard('validated')], 0],
  ])('looks of two at once whether the one that was refused %s', (_, said, problems) => {
    const [one, two] = [asked, { ...asked, run: other }].map((request) => ({ ...request, expected: 'either' as const }))
    const checks = runChecks({
      wanted: 2,
      went: [
        {
          life: { name: 'm1', about: 'machine', waves: [[one!, two!]] },
          ended: [
            { ...ended, asked: one!, terminal: 'rolledback' },
            { ...ended, asked: two! },
          ],
        },
      ],
      listener: { of: (of) => (of === run ? said : []) },
      history: { of: () => [], all: () => [] },
    })
    expect(checks.find(({ title }) => title.startsWith('of two at once'))?.problems).toHaveLength(problems)
  })

  it('lets a run stand still, go on and be put back in stages more than once', () => {
    const stages = ['resume', 'rewind', 'resume', 'rewind'].map(commit)
    expect(broken({ ...well, commits: [...stages, ...well.commits] })).toEqual({})
  })
})

describe('a fleet beside its model', () => {
  const machine = {
    ...{ owner: 'Group:a', template: 't', size: 's', image: 'i', root: '1Gi', running: true, disks: {} },
    ...{ snapshots: ['s1'], addresses: ['servers/10.20.0.16'], placed: false },
  }
  const model: FleetModel = {
    ...{ machines: { 'site-a/shop/web-1': machine }, images: {}, names: ['web-1'] },
    ...{ addresses: { 'servers/10.20.0.16': 'web-1' }, kept: {}, archived: [] },
  }

  it('has nothing to say of itself', () => {
    expect(differences(model, structuredClone(model))).toEqual([])
  })

  const cases: [what: string, change: Partial<FleetModel>, says: string][] = [
    ['a machine that is gone', { machines: {} }, 'machines: site-a/shop/web-1 is not there, wanted {'],
    [
      'a machine that is off',
      { machines: { 'site-a/shop/web-1': { ...machine, running: false } } },
      'machines: site-a/shop/web-1: running is false, wanted true',
    ],
    [
      'a snapshot more',
      { machines: { 'site-a/shop/web-1': { ...machine, snapshots: ['s1', 's2'] } } },
      'machines: site-a/shop/web-1: snapshots: s2 is there',
    ],
    ['a name less', { names: [] }, 'names: web-1 is missing'],
    [
      'an address more',
      { addresses: { ...model.addresses, 'servers/10.20.0.17': 'web-9' } },
      'addresses: servers/10.20.0.17 is "web-9", wanted not there',
    ],
  ]
  it.each(cases)('is told from it by %s', (_, change, says) => {
    expect(differences(model, { ...model, ...change }).join('\n')).toContain(says)
  })
})
