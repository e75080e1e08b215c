import { randomUUID } from 'node:crypto'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

const OURS = /^(\d+)-[0-9a-f-]+\.(?:git|ssh)$/
const live = new Set<string>()

/** A name for a folder that no other client shares: for a bare clone, or for what ssh needs. What dead processes left goes away. */
export async function takeRoom(parent: string, kind: 'git' | 'ssh' = 'git'): Promise<string> {
  await mkdir(parent, { recursive: true, mode: 0o700 })
  await sweep(parent)
  const directory = join(parent, `${process.pid}-${randomUUID()}.${kind}`)
  live.add(directory)
  return directory
}

/** Gives the folder back. */
export async function leaveRoom(directory: string): Promise<void> {
  live.delete(directory)
  await rm(directory, { recursive: true, force: true, maxRetries: 3 })
}

async function sweep(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const pid = Number(OURS.exec(name)?.[1])
    const directory = join(parent, name)
    // In a container our own number may be that of a process before us, so it counts only for what we hold.
    const isLive = pid === process.pid ? live.has(directory) : isRunning(pid)
    if (pid && !isLive) await leaveRoom(directory)
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
