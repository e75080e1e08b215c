import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs'

/** A device has whole sectors. */
export const diskSize = 300_000_256

/** A disk of 300 MB as systems leave them: some of it random, some of it text, most of it never written. */
export function makeDisk(path: string): string {
  const size = diskSize
  const file = openSync(path, 'w')
  ftruncateSync(file, size)
  writeSync(file, randomBytes(40_000_000), 0, undefined, 20_000_000)
  writeSync(file, Buffer.from('all work and no play '.repeat(1_000_000)), 0, undefined, 150_000_001)
  writeSync(file, Buffer.from('the end'), 0, undefined, size - 7)
  closeSync(file)
  return path
}

/** A block device with that disk: a loop device, or where none can be made the file itself, which the program reads alike. */
export function attach(path: string): { device: string; detach(): void } {
  try {
    const device = execFileSync('losetup', ['--find', '--show', '--read-only', path], {
      encoding: 'utf8',
      stdio: 'pipe',
    }).trim()
    return { device, detach: () => void execFileSync('losetup', ['--detach', device]) }
  } catch {
    return { device: path, detach: () => undefined }
  }
}
