import { setImmediate } from 'node:timers/promises'
import { DroverError } from '../../errors.ts'
import { mostBytes, tooLarge } from '../../file-size.ts'
import type { TreeEntry } from '../../fleet.ts'
import { boundedCache } from './cache.ts'
import type { GitObject } from './cat-file.ts'
import type { Clone, Tip } from './clone.ts'
import { NO_COMMIT } from './object-id.ts'
import { type EntryTree, type Objects, parseTree, treeAt } from './tree.ts'

const MOST_CHARACTERS = 32_000_000
const MOST_ENTRIES = 200_000
const MOST_COMMITS = 10_000

/** Reads the clone's objects; what was read once is kept, for an id never changes its meaning. */
export function openObjects(clone: Clone): Objects & { at(tip: Tip): Promise<EntryTree> } {
  const texts = boundedCache<string>({ most: MOST_CHARACTERS, weigh: (text) => text.length })
  const trees = boundedCache<TreeEntry[]>({ most: MOST_ENTRIES, weigh: (entries) => entries.length })
  const roots = boundedCache<string>({ most: MOST_COMMITS, weigh: () => 1 })
  const gather = gatherer((oids) => clone.prefetch(oids))

  const objects: Objects = {
    blob: (oid, what = `the object ${oid} of the fleet repository`) =>
      texts(oid, async () => {
        await gather(oid)
        return textOf(await clone.object(oid), what)
      }),
    tree: (oid) => trees(oid, async () => parseTree((await clone.object(oid)).content)),
  }
  const rootOf = (commit: string) => roots(commit, async () => (await clone.object(`${commit}^{tree}`)).oid)
  const at = async ({ commit }: Tip): Promise<EntryTree> =>
    commit === undefined ? treeAt(objects, NO_COMMIT, undefined) : treeAt(objects, commit, await rootOf(commit))
  return { ...objects, at }
}

/** Fetches in one go what is asked for in one moment: a partial clone would fetch file by file. A single one is left to it. */
function gatherer(fetchAll: (oids: readonly string[]) => Promise<void>): (oid: string) => Promise<void> {
  let wanted: string[] = []
  let gathering: Promise<void> | undefined
  const flush = async () => {
    await setImmediate()
    const oids = wanted
    wanted = []
    gathering = undefined
    if (oids.length > 1) await fetchAll(oids)
  }
  return (oid) => {
    wanted.push(oid)
    gathering ??= flush()
    return gathering
  }
}

function textOf({ oid, type, size, content }: GitObject, what: string): string {
  if (type === 'blob' && size > mostBytes) throw tooLarge(what, size)
  if (type === 'blob') return content.toString('utf8')
  const why = `it is a ${type}, a file was expected`
  throw new DroverError('broken', `Cannot read the object ${oid} of the fleet repository: ${why}`)
}
