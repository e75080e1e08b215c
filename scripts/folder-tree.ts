import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { draftOf } from '../shared/draft.ts'
import { messageOf } from '../shared/errors.ts'
import type { Change, Fleet, Tree, TreeEntry } from '../shared/fleet.ts'
import { blobId } from '../shared/ledger.ts'

/** A fleet in memory, which remembers what was put into it. */
export interface FolderFleet extends Fleet {
  /** Every path that was committed, as it is now, in the order of the commits. */
  written(): Change[]
}

/**
 * A fleet repository over a folder of files, for looking at what a request would do: commits are made in memory, and
 * nothing is written to the folder.
 */
export async function openFolder(folder: string): Promise<FolderFleet> {
  const tree = await openTree(folder)
  const { fleet, changes } = draftOf({ head: async () => tree, find: async () => undefined }, [])
  return { ...fleet, written: changes }
}

/** The files of a folder, each read when it is asked for. */
export async function openTree(folder: string): Promise<Tree> {
  await readdir(folder).catch((cause: unknown) => {
    throw new Error(`Cannot read the fleet: ${messageOf(cause)}`, { cause })
  })
  const read = (path: string) => readFile(join(folder, path), 'utf8').catch(unlessAbsent(undefined))
  const oid = async (path: string) => {
    const text = await read(path)
    return text === undefined ? undefined : blobId(text)
  }
  const entryOf = async (path: string, name: string, isFolder: boolean): Promise<TreeEntry> =>
    isFolder ? { name, mode: '040000', oid: '' } : { name, mode: '100644', oid: (await oid(`${path}/${name}`)) ?? '' }
  return {
    revision: 'folder',
    ...{ read, oid },
    blob: async (id) => {
      throw new Error(`the folder holds no blob ${id}`)
    },
    list: async (path) => {
      const entries = await readdir(join(folder, path), { withFileTypes: true }).catch(unlessAbsent([]))
      entries.sort((one, other) => (one.name < other.name ? -1 : 1))
      return Promise.all(entries.map((entry) => entryOf(path, entry.name, entry.isDirectory())))
    },
  }
}

/** What is not there is none: a file, or a folder where a file was looked for. */
const unlessAbsent =
  <T>(none: T) =>
  (error: NodeJS.ErrnoException): T => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'EISDIR') return none
    throw error
  }
