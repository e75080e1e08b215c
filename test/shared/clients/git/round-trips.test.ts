import { expect, it, onTestFinished, vi } from 'vitest'
import type { Clone } from '../../../../shared/clients/git/clone.ts'
import { openHistory } from '../../../../shared/clients/git/find.ts'
import { counting, deciding, makeWorld, writing } from './world.ts'

it('a commit takes two requests, a look at the branch takes one, and one more when it has moved', async () => {
  const { host, open, commitBehind } = await makeWorld()
  await commitBehind({ a: '1' })
  const fleet = open()
  await fleet.transact(counting('one'))
  await (await fleet.head()).read('a')
  const during = async (act: () => Promise<unknown>) => {
    const before = host.answered.length
    await act()
    return host.answered.length - before
  }
  expect(await during(() => fleet.transact(counting('two')))).toBe(2)
  expect(await during(() => fleet.head())).toBe(1)
  await commitBehind({ a: '2' })
  expect(await during(async () => (await fleet.head()).read('a'))).toBe(2)
  expect(await during(() => fleet.transact(counting('three')))).toBe(2)
})

it('a branch that somebody moves back is not moved forward again over what they took away', async () => {
  const { open, git, commitBehind } = await makeWorld()
  const older = await commitBehind({ a: '1' })
  await commitBehind({ b: 'unwanted' })
  const fleet = open()
  await fleet.head()
  let tries = 0
  await fleet.transact(
    deciding('run-1', async () => {
      if (tries++ === 0) await git('update-ref', 'refs/heads/main', older)
      return { changes: [{ path: 'c', content: '1' }], value: 0 }
    }),
  )
  expect([tries, await git('rev-parse', 'main~1')]).toEqual([2, older])
})

it('a clone is not made again where others commit while it is decided what to push', async () => {
  const { host, open, git, commitBehind, warnings } = await makeWorld()
  await commitBehind({ a: '1' })
  const fleet = open()
  // What is known is believed for a while, however long that takes here.
  vi.useFakeTimers({ toFake: ['performance'] })
  onTestFinished(() => void vi.useRealTimers())
  await fleet.head()
  await commitBehind({ a: '2' })
  const answered = host.answered.length
  const read: unknown[] = []
  await fleet.transact(
    deciding('run-1', async (tree) => {
      // Where the branch is was asked when it began.
      await vi.waitUntil(() => host.answered.length > answered, 10_000)
      if (read.length === 0) await commitBehind({ a: '3' })
      read.push(await tree.read('a'))
      return { changes: [{ path: 'c', content: '1' }], value: 0 }
    }),
  )
  expect([read, await git('show', 'main:a'), warnings]).toEqual([['1', '3'], '3', []])
})

it('a transaction that changes nothing is not the last word for the next one', async () => {
  const { open, commitBehind } = await makeWorld()
  await commitBehind({ a: '1' })
  const fleet = open()
  const reading = deciding('run-1', async (tree) => ({ nothing: true, value: await tree.read('a') }))
  for (const wanted of ['1', '2', '3']) {
    await commitBehind({ a: wanted })
    expect(await fleet.transact(reading)).toMatchObject({ created: false, value: wanted })
  }
  await fleet.transact(writing({ a: '4' }))
  expect(await fleet.transact(reading)).toMatchObject({ value: '4' })
})

it('the history is not read for commits of our own', async () => {
  const read: string[] = []
  const answer = { code: 0, timedOut: false, stdout: '', stderr: '' }
  const clone: Pick<Clone, 'remakes' | 'git' | 'deepen'> = {
    remakes: 0,
    git: async ([command = '', ...args]) => {
      read.push([command, args.at(-2)].join(' '))
      return answer
    },
    deepen: async (_, tip) => {
      read.push(`deepen ${tip}`)
      return answer
    },
  }
  const history = openHistory(clone as Clone, (text) => text)
  const wanted = { run: 'run-1', step: 'name', since: '2026-01-01T00:00:00Z' }
  expect(await history.find(wanted, 'base')).toBeUndefined()
  history.note('base', [{ ...wanted, commit: 'made' }])
  expect(await history.find(wanted, 'made')).toBe('made')
  expect(await history.find({ ...wanted, run: 'run-2' }, 'made')).toBeUndefined()
  expect(read).toEqual(['deepen base', 'log base'])
  history.note('of others', [{ ...wanted, run: 'run-3', commit: 'later' }])
  await history.find({ ...wanted, run: 'run-3' }, 'later')
  expect(read.at(-1)).toBe('log made...later')
})

it('the history is read as a whole where what was read last has been tidied away', async () => {
  const answer = { code: 0, timedOut: false, stdout: '', stderr: '' }
  const clone: Pick<Clone, 'remakes' | 'git' | 'deepen'> = {
    remakes: 0,
    git: async (args) => {
      if (args.some((one) => one.includes('...'))) return { ...answer, code: 128, stderr: 'fatal: bad object gone' }
      return { ...answer, stdout: args.includes('new') ? '>\0made\0run-1\0name\n' : '' }
    },
    deepen: async () => answer,
  }
  const history = openHistory(clone as Clone, (text) => text)
  const wanted = { run: 'run-1', step: 'name', since: '2026-01-01T00:00:00Z' }
  expect(await history.find(wanted, 'gone')).toBeUndefined()
  expect(await history.find(wanted, 'new')).toBe('made')
})
