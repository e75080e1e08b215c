import { closeSync, mkdirSync, openSync, renameSync, writeFileSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * Lets a reference of a clone name a commit, without a process for it: in place, for what it holds is always as long, and
 * is never half written. Only for references that git itself does not move meanwhile.
 */
export function point(directory: string, ref: string, commit: string): void {
  const path = join(directory, ref)
  const line = `${commit}\n`
  try {
    const file = openSync(path, 'r+')
    writeSync(file, line, 0)
    closeSync(file)
  } catch (error) {
    // It is not there yet, or git has packed it.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(`${path}.lock`, line)
    renameSync(`${path}.lock`, path)
  }
}
