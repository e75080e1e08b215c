import { DroverError } from '../../errors.ts'
import type { TreeEntry } from '../../fleet.ts'
import type { GitObject } from './cat-file.ts'
import type { Clone, Tip } from './clone.ts'
import { NO_COMMIT } from './object-id.ts'
import { type EntryTree, type Objects, parseTree, treeAt } from './tree.ts'

const MOST = 20_000

/** Reads the clone's objects; what was read once is kept, for an id never changes its meaning. */
export function openObjects(clone: Clone): Objects & { at(tip: Tip): Promise<EntryTree> } {
  const texts = new Map<string, Promise<string>>()
  const trees = new Map<string, Promise<TreeEntry[]>>()
  const roots = new Map<string, Promise<string>>()
  const objects: Objects = {
    blob: (oid) => remember(texts, oid, async () => textOf(await clone.object(oid))),
    tree: (oid) => remember(trees, oid, async () => parseTree((await clone.object(oid)).content, oid.length / 2)),
  }
  const rootOf = (commit: string) => remember(roots, commit, async () => (await clone.object(`${commit}^{tree}`)).oid)
  const at = async ({ commit }: Tip): Promise<EntryTree> =>
    commit === undefined ? treeAt(objects, NO_COMMIT, undefined) : treeAt(objects, commit, await rootOf(commit))
  return { ...objects, at }
}

function textOf({ oid, type, content }: GitObject): string {
  if (type === 'blob') return content.toString('utf8')
  throw new DroverError(
    'broken',
    `Cannot read the object ${oid} of the fleet repository: it is a ${type}, a file was expected`,
  )
}

/** Forgets the oldest when there are too many; forgets what could not be had. */
function remember<T>(kept: Map<string, Promise<T>>, key: string, get: () => Promise<T>): Promise<T> {
  const found = kept.get(key)
  if (found) return found
  const getting = get()
  kept.set(key, getting)
  getting.catch(() => kept.delete(key))
  const [oldest] = kept.keys()
  if (kept.size > MOST && oldest !== undefined) kept.delete(oldest)
  return getting
}
