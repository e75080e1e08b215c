import { spawnSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** Whether no disk can be mounted here. */
export const noDisks = process.platform !== 'linux' || process.getuid?.() !== 0

/** A disk of its own that holds so many bytes, until the test ends. */
export function mountDisk(parent: string, bytes: number): string {
  const directory = mkdtempSync(join(parent, 'disk-'))
  run('mount', '-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', directory)
  onTestFinished(() => run('umount', '--lazy', directory))
  return directory
}

function run(...[command = '', ...args]: string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} failed: ${stderr}`)
}

/** Writes a file until there is no more room. */
export async function fillUp(path: string): Promise<void> {
  const file = await open(path, 'w')
  try {
    for (;;) await file.write(Buffer.alloc(4_096))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  } finally {
    await file.close()
  }
}
