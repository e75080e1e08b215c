import { readFileSync } from 'node:fs'

const ticksPerSecond = 100

/** The CPU time of this process and of those that it started and that have ended, in seconds; where /proc does not tell, its own. */
export function cpuSeconds(): number {
  const own = process.cpuUsage()
  return (own.user + own.system) / 1e6 + childrenSeconds()
}

function childrenSeconds(): number {
  try {
    // Behind the name, which may have spaces in it: fields 16 and 17 of proc(5), user and system time of children.
    const fields = readFileSync('/proc/self/stat', 'utf8').split(') ').at(-1)?.split(' ') ?? []
    return (Number(fields[13]) + Number(fields[14])) / ticksPerSecond
  } catch {
    return 0
  }
}
