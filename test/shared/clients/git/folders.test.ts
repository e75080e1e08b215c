import fc from 'fast-check'
import { expect, it } from 'vitest'
import { toObjects } from '../../../../shared/clients/git/new-objects.ts'
import { treeId } from '../../../../shared/clients/git/object-id.ts'
import { overlayOf } from '../../../../shared/clients/git/overlay.ts'
import type { EntryTree } from '../../../../shared/clients/git/tree.ts'
import { memoryFleet } from '../../../fleet.ts'

const paths = ['a', 'a.b', 'a/b', 'a/b/c', 'a/b.c', 'a0', 'z/y/x/w', 'z/y/v']
const by = { author: { name: 'Drover', email: 'drover@localhost' }, seconds: 1 }

it('commits on top of each other have the very trees that their changes lead to', async () => {
  const files = fc.dictionary(fc.constantFrom('a/b/c', 'a/b.c', 'z/y/x/w', 'k'), fc.constantFrom('1', '2'))
  const changes = fc.array(
    fc.record({ path: fc.constantFrom(...paths), content: fc.constantFrom('1', '2', '', null) }),
    { maxLength: 4 },
  )
  await fc.assert(
    fc.asyncProperty(files, fc.array(changes, { minLength: 1, maxLength: 4 }), async (start, sets) => {
      const base = (await memoryFleet(start).head()) as EntryTree
      const { tree, apply } = overlayOf(base)
      const commits = []
      const wanted: string[] = []
      for (const set of sets) {
        const applied = await apply(set).catch(() => new Map())
        if (applied.size === 0) continue
        commits.push({ message: 'm\n', changes: applied })
        wanted.push(treeId(await tree.list('')))
      }
      const made = await toObjects(commits, base, undefined, by)
      const text = (oid: string | undefined) => String(made.objects.find((one) => one.oid === oid)?.content)
      expect(made.commits.map((oid) => /tree (\w+)/.exec(text(oid))?.[1])).toEqual(wanted)
      expect(made.commits.map((oid) => /parent (\w+)/.exec(text(oid))?.[1])).toEqual([
        ...(commits.length > 0 ? [undefined] : []),
        ...made.commits.slice(0, -1),
      ])
    }),
    { numRuns: 300 },
  )
})
