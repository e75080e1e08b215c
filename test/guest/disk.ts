import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { environment } from '../../shared/config.ts'
import { appliance } from './appliance.ts'

/** virt-make-fs begins its one partition at sector 128. */
const offset = 128 * 512

/**
 * Takes folders out of a disk that was closed properly, with owners and modes as they are there. It reads the disk by other
 * means than the ones that wrote it.
 */
export function takeOut(disk: string, folders: readonly string[], into: string): void {
  for (const folder of folders) {
    const to = join(into, folder, '..')
    mkdirSync(to, { recursive: true })
    run('debugfs', '-R', `rdump ${folder} ${to}`, `${disk}?offset=${offset}`)
  }
}

/** The names in folders of a disk whose journal may have to be read first: that takes a tool that mounts it. */
export const list = (disk: string, ...folders: string[]): string[] =>
  run('virt-ls', '--format=raw', '-a', disk, ...folders)
    .trimEnd()
    .split('\n')

function run(program: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    env: { ...environment(), ...appliance },
  })
  if (status !== 0) throw new Error(`Cannot look into the disk: ${program} ended with ${status}`, { cause: stderr })
  return stdout
}
