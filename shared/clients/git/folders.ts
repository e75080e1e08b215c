import type { TreeEntry } from '../../fleet.ts'
import { inGitOrder } from './object-id.ts'
import type { Written } from './overlay.ts'
import { type EntryTree, isFolder } from './tree.ts'

/** A folder that was opened because something in it changes. */
interface Folder {
  entries: Map<string, TreeEntry | Folder>
  /** Its id, until something in it changes. */
  oid: string | undefined
  /** The id that was written last, whatever has changed since. */
  last?: string
}

/** The folders of a tree while files in them change; only those that change are read. */
export interface Folders {
  /** Puts changes on top of those before, and answers with the id of the whole tree. */
  apply(changes: ReadonlyMap<string, Written | null>): Promise<string>
}

/** Makes the object of a folder and answers with its id; told which object of the same folder it wrote before. */
type Write = (entries: readonly TreeEntry[], before: string | undefined) => string

/** Begins with the folders as they are. */
export function openFolders(base: EntryTree, write: Write): Folders {
  let root: Folder | undefined
  const load = async (path: string): Promise<Folder> => {
    const entries = await base.list(path)
    return { entries: new Map(entries.map((entry) => [entry.name, entry])), oid: undefined }
  }
  /** The folder of a file, with all folders on the way to it marked as changed. */
  const open = async (top: Folder, path: string): Promise<{ folder: Folder; name: string }> => {
    const names = path.split('/')
    const name = names.pop() ?? ''
    let folder = top
    folder.oid = undefined
    for (const [depth, step] of names.entries()) {
      const found = folder.entries.get(step)
      // What stands in the base and is a folder has not changed, or it would be open.
      const next =
        found && 'entries' in found
          ? found
          : isFolder(found)
            ? await load(names.slice(0, depth + 1).join('/'))
            : { entries: new Map(), oid: undefined }
      next.oid = undefined
      folder.entries.set(step, next)
      folder = next
    }
    return { folder, name }
  }
  const close = (folder: Folder): string => {
    folder.oid ??= write(inGitOrder(closed(folder)), folder.last)
    folder.last = folder.oid
    return folder.oid
  }
  const closed = ({ entries }: Folder): TreeEntry[] =>
    [...entries].flatMap(([name, entry]) => {
      if (!('entries' in entry)) return [entry]
      // Git knows no empty folders.
      return isEmpty(entry) ? [] : [{ name, mode: '040000', oid: close(entry) }]
    })
  const apply: Folders['apply'] = async (changes) => {
    root ??= await load('')
    // Removals first: a file may give way to a folder, and a folder to a file.
    const inOrder = [...changes].sort(([, one], [, other]) => Number(one !== null) - Number(other !== null))
    for (const [path, written] of inOrder) {
      const { folder, name } = await open(root, path)
      if (written) folder.entries.set(name, { name, mode: written.mode, oid: written.oid })
      else folder.entries.delete(name)
    }
    return close(root)
  }
  return { apply }
}

const isEmpty = ({ entries }: Folder): boolean =>
  [...entries.values()].every((entry) => 'entries' in entry && isEmpty(entry))
