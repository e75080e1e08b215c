import { describe, expect, it } from 'vitest'
import type { Decide } from '../shared/fleet.ts'
import { memoryFleet } from './fleet.ts'

const by = <T>(decide: Decide<T>, run = 'r1') => ({
  subject: 'Change',
  trailers: { run, step: 'commit', lifecycle: 'provision', requester: 'ann' },
  decide,
})

describe('memoryFleet', () => {
  it('keeps commits as the real fleet does: what was changed, by whom, found again by run and step', async () => {
    const fleet = memoryFleet({ 'a/b': '1' })
    const before = await fleet.head()
    const { revision, created } = await fleet.transact(
      by(async () => ({ changes: [{ path: 'a/c', content: '2' }], value: 0 })),
    )
    expect(created).toBe(true)
    expect(await fleet.files()).toEqual({ 'a/b': '1', 'a/c': '2' })
    expect(fleet.commits).toMatchObject([
      { revision, subject: 'Change', changes: { 'a/c': '2' }, trailers: { run: 'r1' } },
    ])
    expect(await fleet.find('r1', 'commit', '2026-01-01T00:00:00Z')).toBe(revision)
    expect(await fleet.find('r2', 'commit', '2026-01-01T00:00:00Z')).toBeUndefined()
    expect([await before.read('a/c'), await (await fleet.head()).read('a/c')]).toEqual([undefined, '2'])
    expect((await (await fleet.head()).list('a')).map(({ name }) => name)).toEqual(['b', 'c'])
  })

  it('makes no commit of changes that change nothing', async () => {
    const fleet = memoryFleet({ a: '1' })
    const same = await fleet.transact(
      by(async () => ({
        changes: [
          { path: 'a', content: '1' },
          { path: 'x', content: null },
        ],
        value: 0,
      })),
    )
    expect([same.created, fleet.commits.length]).toEqual([false, 0])
  })

  it('makes a commit without changes where it is to be a mark', async () => {
    const fleet = memoryFleet({ a: '1' })
    const { created, revision } = await fleet.transact(by(async () => ({ changes: [], value: 0, mark: true })))
    expect([created, await fleet.files()]).toEqual([true, { a: '1' }])
    expect(await fleet.find('r1', 'commit', '2026-01-01T00:00:00Z')).toBe(revision)
  })

  it('asks decide again when somebody else interferes', async () => {
    const fleet = memoryFleet({ count: '1' })
    fleet.interfere({ count: '10' })
    const add = by(async (tree) => ({
      changes: [{ path: 'count', content: `${Number(await tree.read('count')) + 1}` }],
      value: 0,
    }))
    await Promise.all([fleet.transact(add), fleet.transact(add)])
    expect(await fleet.files()).toEqual({ count: '12' })
  })

  it('rejects what the real fleet rejects, and stays as it was', async () => {
    const fleet = memoryFleet({ 'a/b': '1' })
    const write = (path: string) => fleet.transact(by(async () => ({ changes: [{ path, content: 'x' }], value: 0 })))
    await expect(write('../x')).rejects.toThrow('it has the segment ".."')
    await expect(write('a')).rejects.toThrow(
      'Cannot change "a" in the fleet repository: "a" is a folder, a file was expected',
    )
    await expect(write('a/b/c')).rejects.toThrow('"a/b" is a file, a folder was expected')
    expect(await fleet.files()).toEqual({ 'a/b': '1' })
  })
})
