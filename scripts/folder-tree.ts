import { readdir, readFile } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { draftOf } from '../shared/draft.ts'
import { messageOf } from '../shared/errors.ts'
import type { Change, Fleet, Tree } from '../shared/fleet.ts'

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
  const files: Change[] = []
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((cause: unknown) => {
    throw new Error(`Cannot read the fleet: ${messageOf(cause)}`, { cause })
  })
  for (const entry of entries) {
    if (!entry.isFile()) continue
    const file = join(entry.parentPath, entry.name)
    files.push({ path: relative(folder, file).split(sep).join('/'), content: await readFile(file, 'utf8') })
  }
  const asItIs = draftOf({ head: async () => nowhere, find: async () => undefined }, files)
  const { fleet, changes } = draftOf(asItIs.fleet, [])
  return { ...fleet, written: changes }
}

/** What lies beneath the files of the folder. */
const nowhere: Tree = {
  revision: 'folder',
  read: async () => undefined,
  oid: async () => undefined,
  blob: async (oid) => {
    throw new Error(`the folder holds no blob ${oid}`)
  },
  list: async () => [],
}
