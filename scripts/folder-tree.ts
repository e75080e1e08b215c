import { readdir, readFile } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { messageOf } from '../shared/errors.ts'
import type { Change, Committed, Fleet, Transaction, Tree, TreeEntry } from '../shared/fleet.ts'
import { blobId } from '../shared/ledger.ts'

/** A fleet in memory, which remembers what was put into it. */
export interface FolderFleet extends Fleet {
  /** Every path that was committed, as it is now, in the order of the commits. */
  written(): Change[]
}

/**
 * A fleet repository over a folder of files, for looking at what a request would do: the folder is read once, commits
 * are made in memory, and nothing is written to it.
 */
export async function openFolder(folder: string): Promise<FolderFleet> {
  const files = new Map<string, string>()
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((cause: unknown) => {
    throw new Error(`Cannot read the fleet: ${messageOf(cause)}`, { cause })
  })
  for (const entry of entries) {
    if (!entry.isFile()) continue
    const file = join(entry.parentPath, entry.name)
    files.set(relative(folder, file).split(sep).join('/'), await readFile(file, 'utf8'))
  }
  const tree = toTree(files)
  const written = new Set<string>()
  return {
    written: () => [...written].map((path) => ({ path, content: files.get(path) ?? null })),
    head: async () => tree,
    transact: (transaction) => transact(files, written, tree, transaction),
    find: async () => undefined,
    close: async () => undefined,
  }
}

async function transact<T>(
  files: Map<string, string>,
  written: Set<string>,
  tree: Tree,
  { decide }: Transaction<T>,
): Promise<Committed<T>> {
  const decided = await decide(tree)
  const changes: Change[] = 'nothing' in decided ? [] : decided.changes
  for (const { path, content } of changes) {
    if (content === null) files.delete(path)
    else files.set(path, content)
    written.add(path)
  }
  return { revision: tree.revision, created: changes.length > 0, value: decided.value }
}

function toTree(files: ReadonlyMap<string, string>): Tree {
  return {
    revision: 'folder',
    read: async (path) => files.get(path),
    oid: async (path) => {
      const text = files.get(path)
      return text === undefined ? undefined : blobId(text)
    },
    blob: async (oid) => {
      const text = [...files.values()].find((one) => blobId(one) === oid)
      if (text === undefined) throw new Error(`the folder holds no blob ${oid}`)
      return text
    },
    list: async (folder) => entriesOf(files, folder === '' ? '' : `${folder}/`),
  }
}

/** Files and folders right below a folder. */
function entriesOf(files: ReadonlyMap<string, string>, start: string): TreeEntry[] {
  const entries = new Map<string, TreeEntry>()
  for (const [path, text] of files) {
    if (!path.startsWith(start)) continue
    const [name = '', ...below] = path.slice(start.length).split('/')
    const isFile = below.length === 0
    entries.set(name, { name, mode: isFile ? '100644' : '040000', oid: isFile ? blobId(text) : '' })
  }
  return [...entries.values()].sort((one, other) => (one.name < other.name ? -1 : 1))
}
