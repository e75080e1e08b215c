import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const execute = promisify(execFile)

/** A commit of a run, by what its trailers say. */
export interface Commit {
  id: string
  run: string
  step: string
}

/** What has been committed to the fleet so far. */
export interface History {
  /** Every commit of a run, the oldest first. */
  of(run: string): readonly Commit[]
  /** Every commit that names a run, the oldest first. */
  all(): readonly Commit[]
  refresh(): Promise<void>
}

const trailer = (key: string) => `%(trailers:key=${key},valueonly,separator=%x20)`
const format = `--format=%H%x00${trailer('Drover-Run')}%x00${trailer('Drover-Step')}`

/** Reads a fleet's branch, where Git keeps it on disk; each time only what has come since. */
export function openHistory(repository: string): History {
  const commits: Commit[] = []
  const byRun = new Map<string, Commit[]>()
  let seen: string | undefined
  let last: Promise<void> = Promise.resolve()

  const read = async () => {
    const git = async (...args: string[]) =>
      (await execute('git', ['--git-dir', repository, ...args], { maxBuffer: 1 << 28 })).stdout
    const tip = (await git('rev-parse', 'main')).trim()
    if (tip === seen) return
    const range = seen === undefined ? tip : `${seen}..${tip}`
    for (const line of (await git('log', '--reverse', format, range)).split('\n')) {
      const [id = '', run = '', step = ''] = line.split('\0')
      if (run === '') continue
      const commit = { id, run, step }
      commits.push(commit)
      byRun.set(run, [...(byRun.get(run) ?? []), commit])
    }
    seen = tip
  }
  return {
    of: (run) => byRun.get(run) ?? [],
    all: () => commits,
    refresh() {
      last = last.then(read)
      return last
    },
  }
}
