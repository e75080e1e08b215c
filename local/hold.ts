import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { messageOf } from '../shared/errors.ts'

/** Holds a directory for this process, for two worlds over one would spoil each other's state; answers how to let it go. */
export function holdDirectory(directory: string): () => void {
  const file = join(directory, 'pid')
  try {
    // Below what is no real file system, making the folders above never ends.
    if (!isFolder(directory)) mkdirSync(directory, { recursive: !existsSync(dirname(directory)) })
    claim(file)
  } catch (cause) {
    throw new Error(`Cannot use ${directory}: ${messageOf(cause)}`, { cause })
  }
  return () => rmSync(file, { force: true })
}

const isFolder = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true

function claim(file: string): void {
  const holder = holderIn(file)
  if (holder !== undefined)
    throw new Error(
      `process ${holder} runs over it; end that, name another --dir, or remove ${file} if it is not Drover`,
    )
  // Left by a process that was killed.
  rmSync(file, { force: true })
  writeFileSync(file, `${process.pid}\n`, { flag: 'wx' })
}

/** The process that holds the file and still runs; in a container the one before us may have had our number. */
function holderIn(file: string): number | undefined {
  const pid = numberIn(file)
  return pid !== undefined && isOther(pid) ? pid : undefined
}

/** True when the process that held the directory has ended; one whose number is only being written has not. */
export function isLeftBehind(directory: string): boolean {
  const pid = numberIn(join(directory, 'pid'))
  return pid !== undefined && !isOther(pid)
}

const isOther = (pid: number) => pid !== process.pid && runs(pid)

function numberIn(file: string): number | undefined {
  const pid = Number(readText(file))
  return Number.isInteger(pid) && pid > 0 ? pid : undefined
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function runs(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    // It runs, but is somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
