import type { Tree, TreeEntry } from '../../fleet.ts'
import { nameOf } from './name.ts'
import { checkObjectId } from './object-id.ts'
import { checkFolder, checkPath } from './path.ts'

/** A tree that can also say what exactly is at a path: a file, a folder, a symbolic link or a submodule. */
export interface EntryTree extends Tree {
  entry(path: string): Promise<TreeEntry | undefined>
}

/** What reading a tree needs of the repository. Both answer the same for an id as long as the process lives. */
export interface Objects {
  /** `what` is how a person knows it, for a sentence about what is wrong with it. */
  blob(oid: string, what?: string): Promise<string>
  tree(oid: string): Promise<readonly TreeEntry[]>
}

/** True for a file proper: neither a folder, nor a symbolic link, nor a submodule. */
export function isFile(entry: TreeEntry | undefined): entry is TreeEntry {
  return entry?.mode.startsWith('100') ?? false
}

export function isFolder(entry: TreeEntry | undefined): entry is TreeEntry {
  return entry?.mode === '040000'
}

/** Splits a path into its folder ('' for the root) and its name. */
export function splitPath(path: string): { folder: string; name: string } {
  const slash = path.lastIndexOf('/')
  return { folder: slash < 0 ? '' : path.slice(0, slash), name: path.slice(slash + 1) }
}

/** Of SHA-1. */
const ID_BYTES = 20

/** The entries of a folder from Git's own bytes: `<mode> <name>\0<id>`, again and again. */
export function parseTree(bytes: Buffer): TreeEntry[] {
  const entries: TreeEntry[] = []
  let at = 0
  while (at < bytes.length) {
    const space = bytes.indexOf(0x20, at)
    const end = bytes.indexOf(0, space)
    const mode = bytes.toString('latin1', at, space).padStart(6, '0')
    at = end + 1 + ID_BYTES
    entries.push({ name: nameOf(bytes, space + 1, end), mode, oid: bytes.toString('hex', end + 1, at) })
  }
  return entries
}

/** The tree of one commit; `root` is the id of its top folder, undefined for a branch without any commit. */
export function treeAt(objects: Objects, revision: string, root: string | undefined): EntryTree {
  const entriesOf = async (folder: string): Promise<readonly TreeEntry[]> => {
    if (folder === '') return root === undefined ? [] : objects.tree(root)
    const found = await find(folder)
    return isFolder(found) ? objects.tree(found.oid) : []
  }
  const find = async (path: string): Promise<TreeEntry | undefined> => {
    const { folder, name } = splitPath(path)
    return (await entriesOf(folder)).find((entry) => entry.name === name)
  }
  return {
    revision,
    entry: async (path) => {
      checkPath(path)
      return find(path)
    },
    read: async (path) => {
      checkPath(path)
      const entry = await find(path)
      return isFile(entry) ? objects.blob(entry.oid, path) : undefined
    },
    oid: async (path) => {
      checkPath(path)
      const entry = await find(path)
      return isFile(entry) ? entry.oid : undefined
    },
    blob: async (oid) => {
      checkObjectId(oid)
      return objects.blob(oid)
    },
    list: async (folder) => {
      checkFolder(folder)
      return [...(await entriesOf(folder))]
    },
  }
}
