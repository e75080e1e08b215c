import { describe, expect, it } from 'vitest'
import { answerForEnded, isOfAnother, stillRunning } from '../../../functions/recover/ended.ts'
import { DroverError } from '../../../shared/errors.ts'
import { type RunRecord, trailersOf } from '../../../shared/ledger.ts'
import type { LifecycleName } from '../../../shared/lifecycles.ts'
import { endOfUndo } from '../../../shared/standing.ts'
import type { Facts, Run } from '../../../shared/step.ts'
import { starterFiles } from '../../examples/starter.ts'
import { type MemoryFleet, memoryFleet } from '../../fleet.ts'
import { foundOut, runWith } from '../build/runs.ts'

const failed = (task: string, facts: Facts = {}, changes: Partial<Run> = {}): Run => ({
  ...runWith('undo', facts),
  failure: { task, title: task, message: `Cannot do ${task}` },
  ...changes,
})

/** A fleet whose history says that a run has done these tasks, and whose branch has nothing of it. */
async function fleetWhere(run: Run, ...tasks: string[]): Promise<MemoryFleet> {
  const fleet = memoryFleet(starterFiles())
  for (const task of tasks)
    await fleet.transact({
      subject: task,
      trailers: trailersOf({ ...run, task }),
      decide: async () => ({ changes: [], value: undefined, mark: true }),
    })
  return fleet
}

/** What is answered, and what a CMDB was told. */
async function answered(run: Run, fleet: MemoryFleet) {
  const told: string[] = []
  const register = async ({ name, cluster }: { name: string; cluster: string }, state: string) => {
    told.push(`${name} on ${cluster} ${state}`)
    return { id: 'CI-17' }
  }
  return { answer: await answerForEnded(run, { fleet, cmdb: { register } }), told }
}

const nothingChanged = (task: string) => ({
  kind: 'succeeded',
  message: `Nothing was changed: Cannot do ${task}`,
  facts: {},
})

describe('a failure of a run that has no record', () => {
  it('leaves a mark, once, where the run has done nothing, so that it never begins', async () => {
    const run = failed('name')
    const fleet = await fleetWhere(run)
    expect((await answered(run, fleet)).answer).toEqual(nothingChanged('name'))
    expect((await answered(run, fleet)).answer).toEqual(nothingChanged('name'))
    expect(fleet.commits.map(({ subject, trailers, changes }) => [subject, trailers.step, changes])).toEqual([
      [`End provision run ${run.id} before it has begun`, endOfUndo, {}],
    ])
  })

  it('leaves no mark where the request was refused: it may come again, put right', async () => {
    const run = failed('validate')
    const fleet = await fleetWhere(run)
    expect((await answered(run, fleet)).answer).toEqual(nothingChanged('validate'))
    expect(fleet.commits).toEqual([])
  })

  it('leaves no mark for a plan, which changes nothing anyway', async () => {
    const plan = failed('name')
    const run = { ...plan, request: { ...plan.request, plan: true } }
    const fleet = await fleetWhere(run)
    expect((await answered(run, fleet)).answer).toEqual(nothingChanged('name'))
    expect(fleet.commits).toEqual([])
  })

  it('needs no mark where the branch takes no push: nothing begins there', async () => {
    const run = failed('name')
    const fleet = await fleetWhere(run)
    const transact = async () => Promise.reject(new DroverError('refused', 'the branch is protected'))
    expect((await answered(run, { ...fleet, transact })).answer).toEqual(nothingChanged('name'))
  })

  it('does not pass over any other fault of Git', async () => {
    const run = failed('name')
    const fleet = await fleetWhere(run)
    const transact = async () => Promise.reject(new DroverError('busy', 'the Git server cannot be reached'))
    await expect(answered(run, { ...fleet, transact })).rejects.toThrow('the Git server cannot be reached')
  })

  it('waits where the run begins this very moment', async () => {
    const run = failed('name')
    const fleet = await fleetWhere(run)
    const begun = await fleetWhere(run, 'name')
    const find: MemoryFleet['find'] = (id, step, since, tree) => (tree ? begun : fleet).find(id, step, since, tree)
    expect((await answered(run, { ...fleet, find })).answer).toEqual({
      kind: 'notYet',
      message: `Cannot undo run ${run.id} yet: it has begun this very moment`,
    })
    expect(fleet.commits).toEqual([])
  })

  it.each<[string, Facts, LifecycleName, string[]]>([
    ['retires a machine', foundOut(), 'provision', ['web-01 on site-a retired']],
    ['retires no machine that has no cluster', { name: 'web-01' }, 'provision', []],
    ['retires no machine that there was before', foundOut(), 'repave', []],
  ])('%s of which a rewritten history knows nothing', async (_, facts, lifecycle, retired) => {
    const run = failed('create.verify', facts, { lifecycle })
    expect(await answered(run, await fleetWhere(run))).toEqual({
      answer: {
        kind: 'succeeded',
        message:
          'Nothing is left to be put back, for the history of the branch was rewritten, after: Cannot do create.verify',
        facts: {},
      },
      told: retired,
    })
  })

  it.each<[string, Run, string[], object]>([
    [
      'that is complete, and says so where only that answer was lost',
      failed('complete', foundOut()),
      ['name', 'complete'],
      {
        kind: 'succeeded',
        message: 'The provision of VM web-01 is complete, and nothing was undone: only an answer that says so was lost',
        end: 'completed',
      },
    ],
    [
      'that is complete, as the image of an image run',
      failed('complete', { name: 'rhel9' }, { lifecycle: 'golden-image' }),
      ['complete'],
      {
        kind: 'succeeded',
        message: expect.stringMatching(/^The golden-image of image rhel9 is complete/),
        end: 'completed',
      },
    ],
    [
      'that is complete, and passes over the failure of any other task',
      failed('register', foundOut()),
      ['name', 'complete'],
      { kind: 'ignored', message: expect.stringMatching(/^Run \w+ is complete: its failure comes too late$/) },
    ],
    [
      'that is complete, and over one that says of no task what it was',
      { ...runWith('undo', foundOut()), message: 'lost' },
      ['name', 'complete'],
      { kind: 'ignored', message: expect.stringMatching(/is complete/) },
    ],
    [
      'that has ended, when its request is refused as it comes again',
      failed('validate'),
      ['name'],
      { kind: 'ignored', message: expect.stringMatching(/has ended: its request was refused when it came again$/) },
    ],
    [
      'that a person has closed',
      failed('create.verify', foundOut()),
      ['name'],
      { kind: 'ignored', message: expect.stringMatching(/was closed by hand: its failure comes too late$/) },
    ],
    [
      'that is undone, by the same words as before',
      failed('create.verify', foundOut()),
      ['name', endOfUndo],
      { kind: 'succeeded', message: 'Everything was put back after: Cannot do create.verify', facts: { kept: [] } },
    ],
    [
      'that is undone, for what it says itself where no task of it failed',
      { ...runWith('undo', foundOut()), message: 'Its time was up' },
      ['name', endOfUndo],
      { kind: 'succeeded', message: 'Everything was put back after: Its time was up', facts: { kept: [] } },
    ],
  ])('is answered for one %s', async (_, run, tasks, wanted) => {
    const fleet = await fleetWhere(run, ...tasks)
    expect(await answered(run, fleet)).toEqual({ answer: wanted, told: [] })
    expect(fleet.commits).toHaveLength(tasks.length)
  })

  it('names the data disks that were made, which nothing removes, and none where no machine was', async () => {
    const facts = foundOut({ attached: [{ disk: 'old', claim: 'shop-old' }] as never })
    const disks = [{ name: 'data', size: '5Gi' }]
    const run = failed('create.verify', { ...facts, machine: { ...facts.machine, disks } as never })
    const made = await fleetWhere(run, 'name', 'create.commit', endOfUndo)
    const { answer } = await answered(run, made)
    const [data = '', old] = (answer as { facts: { kept: string[] } }).facts.kept
    expect([data, old]).toEqual([expect.stringMatching(/^shop\/web-01-data-data-\w+$/), 'shop/shop-old'])
    expect(answer).toMatchObject({
      message: `Everything was put back after: Cannot do create.verify. Kept on site-a, because data disks are never removed: ${data}, shop/shop-old`,
    })
    const none = await answered(run, await fleetWhere(run, 'name', endOfUndo))
    expect(none.answer).toMatchObject({ facts: { kept: [] } })
    const unnamed = failed('create.verify', { ...run.facts, name: undefined } as never)
    expect(
      (await answered(unnamed, await fleetWhere(unnamed, 'name', 'create.commit', endOfUndo))).answer,
    ).toMatchObject({ message: 'Everything was put back after: Cannot do create.verify', facts: { kept: [] } })
  })
})

describe('a failure of a run that goes on', () => {
  const at = (task: string, state: RunRecord['state'] = 'running') => ({ task, state }) as RunRecord

  it.each<[string, Run, RunRecord, boolean]>([
    ['of its request alone', failed('validate'), at('create.commit'), true],
    ['of its first task, which it is beyond', failed('name'), at('create.commit'), true],
    ['of a task that it is beyond', failed('create.build'), at('create.commit'), true],
    ['of the task that it is at', failed('create.commit'), at('create.commit'), false],
    ['of a task that is still to come', failed('create.verify'), at('create.commit'), false],
    ['of a task that its lifecycle does not have', failed('no-such-task'), at('create.commit'), false],
    ['of no task', runWith('undo', {}), at('create.commit'), false],
    ['of a task before, while it is undone', failed('create.build'), at('create.commit', 'undoing' as never), false],
  ])('%s is that of another delivery: %4$s', (_, run, record, expected) => {
    expect(isOfAnother(run, record)).toBe(expected)
  })

  it('says what it is that failed', () => {
    expect(stillRunning(failed('validate'))).toMatch(/goes on: it is another delivery of its request that was refused$/)
    expect(stillRunning(failed('name'))).toMatch(
      /goes on, and is beyond name: it is another delivery of it that failed$/,
    )
  })
})
