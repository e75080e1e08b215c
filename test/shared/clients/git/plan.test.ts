import { describe, expect, it } from 'vitest'
import { decideAll } from '../../../../shared/clients/git/plan.ts'
import type { EntryTree } from '../../../../shared/clients/git/tree.ts'
import type { Transaction } from '../../../../shared/fleet.ts'
import { memoryFleet } from '../../../fleet.ts'

const files = { 'runs/a.yaml': 'a\n', 'runs/b.yaml': 'b\n' }

/** A transaction that says what it reads, and notes when it decides. */
const reading = (path: string, noted: string[]): Transaction<unknown> => ({
  subject: 'x',
  trailers: { run: path, step: 'x', lifecycle: 'provision', requester: 'x' },
  reads: [path],
  decide: async (tree) => {
    noted.push(`decide ${path}`)
    return { nothing: true, value: await tree.read(path) }
  },
})

/** A tree that notes what is read of it. */
async function notedTree(noted: string[]): Promise<EntryTree> {
  const tree = (await memoryFleet(files).head()) as EntryTree
  return {
    ...tree,
    read: async (path) => {
      noted.push(`read ${path}`)
      return tree.read(path)
    },
  }
}

describe('a batch of transactions', () => {
  it('has what all of them read fetched at once, before the first one decides', async () => {
    const noted: string[] = []
    const base = await notedTree(noted)
    const [one, other] = Object.keys(files) as [string, string]
    const verdicts = await decideAll(base, [reading(one, noted), reading(other, noted)])
    expect(noted.slice(0, 3)).toEqual([`read ${one}`, `read ${other}`, `decide ${one}`])
    expect(verdicts).toEqual([
      { kind: 'nothing', value: 'a\n' },
      { kind: 'nothing', value: 'b\n' },
    ])
  })

  it('reads nothing ahead for a single one', async () => {
    const noted: string[] = []
    const base = await notedTree(noted)
    await decideAll(base, [reading('runs/a.yaml', noted)])
    expect(noted).toEqual(['decide runs/a.yaml', 'read runs/a.yaml'])
  })

  it('says what cannot be read where it is needed', async () => {
    const noted: string[] = []
    const tree = await notedTree(noted)
    const base: EntryTree = { ...tree, read: async () => Promise.reject(new Error('gone')) }
    const verdicts = await decideAll(base, [reading('runs/a.yaml', noted), reading('runs/b.yaml', noted)])
    expect(verdicts.map(({ kind }) => kind)).toEqual(['error', 'error'])
  })
})
