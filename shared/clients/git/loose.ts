import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { deflateSync } from 'node:zlib'
import type { NewObject, NewObjects } from './new-objects.ts'

/**
 * Writes into a repository as git itself does, without a process for it: each object is a file of its own
 * (gitrepository-layout(5)). Nobody looks for one before all are there, so they need not be written aside and renamed, which
 * would take half as long again; a clone in which one could not be written is thrown away. Nothing here must survive a crash.
 */

/** What keeps the newest commits of our own from being tidied away, and from being fetched again. */
const PENDING = 'refs/drover/pending'
/** A few hundred microseconds at a time: to leave each file to another thread would take longer. */
const AT_ONCE = 10

/** Writes commits with all that they consist of; no branch shows them. */
export async function writeLoose(directory: string, { objects, commits }: NewObjects): Promise<void> {
  for (const [index, object] of objects.entries()) {
    if (index % AT_ONCE === AT_ONCE - 1) await setImmediate()
    writeObject(directory, object)
  }
  mkdirSync(join(directory, 'refs/drover'), { recursive: true })
  const pending = join(directory, PENDING)
  writeFileSync(`${pending}.lock`, `${commits.at(-1)}\n`)
  renameSync(`${pending}.lock`, pending)
}

function writeObject(directory: string, { oid, bytes }: NewObject): void {
  const folder = join(directory, 'objects', oid.slice(0, 2))
  const path = join(folder, oid.slice(2))
  if (existsSync(path)) return
  const write = () => writeFileSync(path, deflateSync(bytes, { level: 1 }), { mode: 0o444, flag: 'wx' })
  try {
    write()
  } catch (error) {
    // The folder is not there yet, or was empty while git tidied up.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    mkdirSync(folder)
    write()
  }
}
