import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { overlayOf } from '../../../../shared/clients/git/overlay.ts'
import type { EntryTree } from '../../../../shared/clients/git/tree.ts'
import { memoryFleet } from '../../../fleet.ts'

const paths = ['a', 'a.b', 'a/b', 'a/b/c', 'a/b.c', 'a0', 'z/y/x/w', 'z/y/v']

async function everything(tree: EntryTree, folder = ''): Promise<unknown[]> {
  const entries = await tree.list(folder)
  return Promise.all(
    entries.map(async (entry) => {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      const below = entry.mode === '040000' ? await everything(tree, path) : await tree.read(path)
      return { ...entry, below, same: await tree.entry(path), id: await tree.oid(path) }
    }),
  )
}

describe('overlayOf', () => {
  it('leads to the tree that a commit of the same changes has, down to the ids of its folders', async () => {
    const files = fc.dictionary(fc.constantFrom('a/b/c', 'a/b.c', 'z/y/x/w', 'k'), fc.constantFrom('1', '2'))
    const changes = fc.array(
      fc.record({ path: fc.constantFrom(...paths), content: fc.constantFrom('1', '2', '', null) }),
      { maxLength: 4 },
    )
    await fc.assert(
      fc.asyncProperty(files, fc.array(changes, { maxLength: 4 }), async (start, sets) => {
        const fleet = memoryFleet(start)
        const base = (await fleet.head()) as EntryTree
        const overlay = overlayOf(base)
        for (const set of sets) {
          const applied = await overlay.apply(set).catch((error: Error) => error)
          const transaction = {
            subject: 's',
            trailers: { run: 'r', step: 's', lifecycle: 'l', requester: 'q' },
            decide: async () => ({ changes: set, value: 0 }),
          }
          const committed = await fleet.transact(transaction).catch((error: Error) => error)
          if (applied instanceof Error || committed instanceof Error) {
            expect(String(applied)).toBe(String(committed))
            continue
          }
          expect(committed.created).toBe(applied.size > 0)
        }
        expect(await everything(overlay.tree)).toEqual(await everything((await fleet.head()) as EntryTree))
      }),
      { numRuns: 300 },
    )
  })

  it('lets a file give way to a folder within one change set', async () => {
    const fleet = memoryFleet({ a: 'file' })
    const base = (await fleet.head()) as EntryTree
    const changes = [
      { path: 'a/b', content: 'x' },
      { path: 'a', content: null },
    ]
    const { tree, apply } = overlayOf(base)
    await apply(changes)
    expect([await tree.read('a'), await tree.read('a/b')]).toEqual([undefined, 'x'])
  })
})
