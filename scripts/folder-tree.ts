import type { Dirent } from 'node:fs'
import { readdir, readFile, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { blobId } from '../shared/blob-id.ts'
import { draftOf } from '../shared/draft.ts'
import { messageOf } from '../shared/errors.ts'
import type { Change, Fleet, Tree } from '../shared/fleet.ts'

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

/** The files of a folder, read when they are asked for. Of symbolic links, which may lead anywhere, none is followed. */
export async function openTree(folder: string): Promise<Tree> {
  const root = await realpath(folder).catch((cause: unknown) => {
    throw new Error(`Cannot read the fleet: ${messageOf(cause)}`, { cause })
  })
  const isHere = async (path: string) =>
    (await realpath(join(root, path)).catch(unlessAbsent(undefined))) === join(root, path)
  const read = async (path: string) =>
    (await isHere(path)) ? readFile(join(root, path), 'utf8').catch(unlessAbsent(undefined)) : undefined
  const oid = async (path: string) => {
    const text = await read(path)
    return text === undefined ? undefined : blobId(text)
  }
  return {
    revision: 'folder',
    ...{ read, oid },
    blob: async (id) => {
      throw new Error(`the folder holds no blob ${id}`)
    },
    list: async (path) => {
      if (!(await isHere(path))) return []
      const entries = await readdir(join(root, path), { withFileTypes: true }).catch(unlessAbsent([]))
      entries.sort((one, other) => (one.name < other.name ? -1 : 1))
      // Nobody asks a list for the ids of its files, and each would have to be read for its own.
      return entries.map((entry) => ({ name: entry.name, mode: modeOf(entry), oid: '' }))
    },
  }
}

function modeOf(entry: Dirent): string {
  if (entry.isDirectory()) return '040000'
  return entry.isSymbolicLink() ? '120000' : '100644'
}

/** What is not there is none: a file, or a folder where a file was looked for. */
const unlessAbsent =
  <T>(none: T) =>
  (error: NodeJS.ErrnoException): T => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'EISDIR') return none
    throw error
  }
