import { closeSync, mkdirSync, openSync, renameSync, writeFileSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * Lets a reference of a clone name a commit, without a process for it: in place, for what it holds is always as long, and
 * is never half written. Where git packs the references at that very moment the change may be lost, which does no harm: these keep
 * commits from being tidied away, as packs of a promisor are anyway, and from being fetched again.
 */
export function updateRef(directory: string, ref: string, commit: string): void {
  const path = join(directory, ref)
  const line = `${commit}\n`
  try {
    const file = openSync(path, 'r+')
    try {
      writeSync(file, line, 0)
    } finally {
      closeSync(file)
    }
  } catch (error) {
    // It is not there yet, or git has packed it.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(`${path}.lock`, line)
    renameSync(`${path}.lock`, path)
  }
}
