import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { residentOf } from '../../bench/process-tree.ts'
import type { Platform } from '../prober/platform.ts'

/** What is measured of a process or a folder, with its unit. */
export const measures = {
  memory: { title: 'Memory of each process', unit: 'MiB' },
  heap: { title: 'Heap in use of each function', unit: 'MiB' },
  files: { title: 'Open files of each process', unit: 'files' },
  clone: { title: 'Clone of the fleet on disk', unit: 'MiB' },
} as const

export type Measure = keyof typeof measures

/** What is measured, and of which process or function. */
export interface Measured {
  measure: Measure
  of: string
}

/** One number, and when it was taken: seconds since the begin. */
export interface Sample extends Measured {
  at: number
  value: number
}

const mebi = 2 ** 20

/** The functions that work on a clone of the fleet. */
const cloning = ['allocate', 'build', 'commit', 'locate', 'place', 'recover', 'validate']

/** Everything that there is to measure of a platform on which all lifecycles are asked for. */
export function measuredOf({ watched, addresses }: Pick<Platform, 'watched' | 'addresses'>): Measured[] {
  const all = (measure: Measure, names: readonly string[]) => names.map((of) => ({ measure, of }))
  const processes = watched.map(({ name }) => name)
  return [
    ...all('memory', processes),
    ...all('files', processes),
    ...all('heap', Object.keys(addresses)),
    ...all('clone', cloning),
  ]
}

/** Everything that there is to measure at this moment. */
export async function sampleAll(
  platform: Pick<Platform, 'watched' | 'clones' | 'addresses'>,
  at: number,
): Promise<Sample[]> {
  const of = (measure: Measure, name: string, value: number | undefined): Sample[] =>
    value === undefined ? [] : [{ measure, of: name, at, value }]
  const heaps = await Promise.all(
    Object.entries(platform.addresses).map(async ([name, address]) => of('heap', name, await heapAt(address))),
  )
  return [
    ...platform.watched.flatMap(({ name, pid }) => {
      const number = pid()
      if (number === undefined) return []
      return [...of('memory', name, residentOf(number) || undefined), ...of('files', name, filesOf(number))]
    }),
    ...heaps.flat(),
    ...clonesIn(platform.clones).flatMap((name) => of('clone', name, bytesIn(join(platform.clones, name)) / mebi)),
  ]
}

/** How many files a process has open; undefined when it has ended meanwhile. */
function filesOf(pid: number): number | undefined {
  try {
    return readdirSync(`/proc/${pid}/fd`).length
  } catch {
    return undefined
  }
}

/** The heap that a function says it uses. */
async function heapAt(address: string): Promise<number | undefined> {
  try {
    const page = await (await fetch(`${address}metrics`, { signal: AbortSignal.timeout(5_000) })).text()
    const [, bytes] = /^nodejs_heap_size_used_bytes(?:{[^}]*})? ([\d.e+]+)$/m.exec(page) ?? []
    return bytes === undefined ? undefined : Number(bytes) / mebi
  } catch {
    return undefined
  }
}

function clonesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function bytesIn(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).reduce((sum, entry) => {
    // Git removes what it has packed at any moment.
    const found = entry.isFile() ? statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false }) : undefined
    return sum + (found?.size ?? 0)
  }, 0)
}
