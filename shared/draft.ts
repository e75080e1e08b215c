import { blobId } from './blob-id.ts'
import type { Change, Committed, Fleet, Transaction, Tree, TreeEntry } from './fleet.ts'

/**
 * A fleet as it would be: what steps commit stays on top of what Git has, in memory, and nothing is pushed. The same steps
 * work on it as on the real one, so a plan says what a run would do because it does it.
 */
export interface Draft {
  fleet: Fleet
  /** All changes so far, each path once. */
  changes(): Change[]
}

/** Goes on with a draft that earlier tasks of the same run have begun. */
export function draftOf(fleet: Pick<Fleet, 'head' | 'find'>, before: readonly Change[]): Draft {
  const changed = new Map(before.map(({ path, content }) => [path, content]))
  const head = async () => over(await fleet.head(), changed)
  return {
    changes: () => [...changed].map(([path, content]) => ({ path, content })),
    fleet: {
      head,
      async transact<T>({ decide }: Transaction<T>): Promise<Committed<T>> {
        const tree = await head()
        const decision = await decide(tree)
        if ('nothing' in decision) return { revision: tree.revision, created: false, value: decision.value }
        for (const { path, content } of decision.changes) changed.set(path, content)
        return { revision: tree.revision, created: true, value: decision.value }
      },
      find: (run, step, since) => fleet.find(run, step, since),
      close: async () => undefined,
    },
  }
}

function over(tree: Tree, changed: ReadonlyMap<string, string | null>): Tree {
  const written = (path: string) => changed.get(path)
  return {
    revision: tree.revision,
    read: async (path) => (changed.has(path) ? (written(path) ?? undefined) : tree.read(path)),
    oid: async (path) => {
      const content = written(path)
      return typeof content === 'string' ? blobId(content) : changed.has(path) ? undefined : tree.oid(path)
    },
    blob: async (oid) => {
      const found = [...changed.values()].find((content) => content !== null && blobId(content) === oid)
      return found ?? tree.blob(oid)
    },
    async list(folder) {
      const entries = new Map((await tree.list(folder)).map((entry) => [entry.name, entry]))
      for (const [path, content] of changed) mark(entries, folder, path, content)
      return [...entries.values()].sort((one, other) => (one.name < other.name ? -1 : 1))
    },
  }
}

/** Enters what a change makes of a folder's list. A folder whose last file goes stays listed: nobody asks for that. */
function mark(entries: Map<string, TreeEntry>, folder: string, path: string, content: string | null): void {
  if (!path.startsWith(`${folder}/`)) return
  const [name = '', ...deeper] = path.slice(folder.length + 1).split('/')
  if (deeper.length > 0 && content !== null && !entries.has(name)) entries.set(name, { name, mode: '040000', oid: '' })
  if (deeper.length > 0) return
  if (content === null) entries.delete(name)
  else entries.set(name, { name, mode: '100644', oid: blobId(content) })
}
