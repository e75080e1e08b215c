import type { TreeEntry } from '../../fleet.ts'
import { openFolders } from './folders.ts'
import { messageLine } from './message.ts'
import { objectId, treeBody, treeLine } from './object-id.ts'
import type { Written } from './overlay.ts'
import type { EntryTree } from './tree.ts'

/** One commit to be written, on top of the one before it. */
export interface NewCommit {
  message: string
  changes: ReadonlyMap<string, Written | null>
}

export interface Signature {
  name: string
  email: string
}

export interface NewObject {
  oid: string
  kind: 'commit' | 'tree' | 'blob'
  content: Buffer
  /** An object before it, of which it is made with little. */
  from?: string
}

/** What a number of commits on top of each other consist of, and their ids. */
export interface NewObjects {
  objects: NewObject[]
  commits: string[]
}

/** Makes the objects of commits on top of a tree; a tree whose branch has no commit yet has no parent to name. */
export async function toObjects(
  commits: readonly NewCommit[],
  base: EntryTree,
  parent: string | undefined,
  { author, seconds }: { author: Signature; seconds: number },
): Promise<NewObjects> {
  const objects = new Map<string, NewObject>()
  const add = (kind: NewObject['kind'], content: Buffer, from?: string) => {
    const oid = objectId(kind, content)
    // What was once is again: made of what came after it, neither could be made.
    if (!objects.has(oid)) objects.set(oid, { oid, kind, content, ...(from === undefined ? {} : { from }) })
    return oid
  }
  // A folder is written with each commit that changes something in it, and most of its entries stay.
  const lines = new WeakMap<TreeEntry, Buffer>()
  const lineOf = (entry: TreeEntry) => {
    const line = lines.get(entry) ?? treeLine(entry)
    lines.set(entry, line)
    return line
  }
  const folders = openFolders(base, (entries, before) => add('tree', treeBody(entries, lineOf), before))
  const ident = `${plain(author.name)} <${plain(author.email)}> ${seconds} +0000`
  const ids: string[] = []
  for (const { message, changes } of commits) {
    for (const written of changes.values()) if (written) add('blob', Buffer.from(written.content))
    const tree = await folders.apply(changes)
    const before = ids.at(-1) ?? parent
    const lines = [`tree ${tree}`, ...(before ? [`parent ${before}`] : []), `author ${ident}`, `committer ${ident}`]
    ids.push(add('commit', Buffer.from(`${lines.join('\n')}\n\n${message}`)))
  }
  return { objects: [...objects.values()], commits: ids }
}

const plain = (text: string) => messageLine(text).replace(/[<>]/g, '')
