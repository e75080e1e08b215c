import { spawnSync } from 'node:child_process'
import { mkdtempSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** Files as the kubelet mounts them from a Secret: links into a folder that another one takes the place of, all at once. */
export interface Mount {
  path(name: string): string
  /** What the Secret holds from now on. */
  write(files: Record<string, string>): void
}

/** Mounts a Secret below a folder. Its files are open to the group, as with fsGroup. */
export function mountSecret(parent: string, files: Record<string, string>): Mount {
  const directory = mkdtempSync(join(parent, 'secret-'))
  const write = (now: Record<string, string>) => {
    const data = mkdtempSync(join(directory, '..data-'))
    for (const [name, text] of Object.entries(now)) writeFileSync(join(data, name), text, { mode: 0o440 })
    symlinkSync(data, join(directory, '..data_tmp'))
    renameSync(join(directory, '..data_tmp'), join(directory, '..data'))
  }
  write(files)
  for (const name of Object.keys(files)) symlinkSync(join('..data', name), join(directory, name))
  return { path: (name) => join(directory, name), write }
}

/** Whether no disk can be mounted here. */
export const whyNoDisks = process.platform !== 'linux' || process.getuid?.() !== 0

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
