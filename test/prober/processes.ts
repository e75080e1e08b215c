import { readdirSync, readFileSync } from 'node:fs'

/** A process of this machine. */
interface Process {
  pid: number
  parent: number
  /** Its program and arguments, with spaces between. */
  command: string
}

/** Everything that this process has started, and what that has started in turn, as /proc tells. */
export function descendants(): Process[] {
  const all = readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? (processOf(Number(name)) ?? []) : []))
  const parents = new Map(all.map(({ pid, parent }) => [pid, parent]))
  const isOurs = (pid: number): boolean => {
    const parent = parents.get(pid)
    return parent !== undefined && (parent === process.pid || isOurs(parent))
  }
  return all.filter(({ pid }) => isOurs(pid))
}

function processOf(pid: number): Process | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name before it may have spaces in it.
    const [, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
    return { pid, parent: Number(parent), command }
  } catch {
    // It has ended meanwhile.
    return undefined
  }
}
