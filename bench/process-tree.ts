import { readdirSync, readFileSync } from 'node:fs'

/** What a process and all that it started use, those that have ended included: seconds of the processor, MiB of memory. */
export interface Usage {
  cpu: number
  memory: number
}

const ticksPerSecond = 100
const kibPerMib = 1024

interface Entry {
  parent: number
  cpu: number
}

/** Reads it from /proc; it throws where there is none. */
export function usageOf(pid: number): Usage {
  const entries = new Map(
    readdirSync('/proc').flatMap((name) => {
      const entry = /^\d+$/.test(name) ? entryOf(name) : undefined
      return entry ? [[Number(name), entry] as const] : []
    }),
  )
  const isInTree = (one: number): boolean => one === pid || (entries.has(one) && isInTree(entries.get(one)!.parent))
  const tree = [...entries.keys()].filter(isInTree)
  return {
    cpu: tree.reduce((sum, one) => sum + (entries.get(one)?.cpu ?? 0), 0),
    memory: tree.reduce((sum, one) => sum + ownMemoryOf(one), 0),
  }
}

/** From proc(5): the parent, and the times of the process and of its children that have ended. */
function entryOf(pid: string): Entry | undefined {
  const text = contentOf(`/proc/${pid}/stat`)
  if (text === undefined) return undefined
  // The name before it may have spaces in it.
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number)
  const times = fields.slice(11, 15)
  return { parent: fields[1] ?? 0, cpu: times.reduce((sum, ticks) => sum + ticks, 0) / ticksPerSecond }
}

/** Memory of its own: pages of files are the kernel's, who takes them back when it likes. */
const ownMemoryOf = (pid: number) => memoryOf(pid, 'RssAnon')

/** All memory that a process holds, the pages of its files included. */
export const residentOf = (pid: number): number => memoryOf(pid, 'VmRSS')

function memoryOf(pid: number, kind: 'RssAnon' | 'VmRSS'): number {
  const text = contentOf(`/proc/${pid}/status`) ?? ''
  return Number(new RegExp(`^${kind}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0) / kibPerMib
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // It has ended meanwhile.
    return undefined
  }
}
