import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { inTurn } from '../coalesce.ts'
import { QUIET } from './make-clone.ts'
import type { GitResult } from './process.ts'

export interface Deepening {
  git(args: readonly string[], options?: { timeout: number }): Promise<GitResult>
  branch: string
  /** The folder of the clone as it is now. */
  directory(): Promise<string>
  /** How many milliseconds it may take. */
  timeout: number
}

const NO_SINCE = /does not support --shallow-since/

/** Gives a shallow clone more of its history: the commits alone, without what they hold. */
export function deepener({ git, branch, directory, timeout }: Deepening) {
  // No branch is followed: what follows it may do so beside this.
  const from = ['--filter=tree:0', '--refmap=', 'origin', `refs/heads/${branch}`]
  const deepenBy = (how: string) => git(['fetch', ...QUIET, how, ...from], { timeout })
  let earliest = Number.POSITIVE_INFINITY
  return inTurn(async (since: number, tip: string): Promise<GitResult> => {
    const newest = await git(['log', '-1', '--format=%ct', tip, '--'])
    const isShallow = existsSync(join(await directory(), 'shallow'))
    // Asked for what is later than its newest commit, a server answers with an error.
    if (newest.code !== 0 || Number(newest.stdout) < since || !isShallow) return newest
    // Git would also shorten the history again, while somebody else still searches it.
    earliest = Math.min(earliest, since)
    const result = await deepenBy(`--shallow-since=${new Date(earliest * 1_000).toISOString()}`)
    // As Azure Repos, which knows depths alone.
    return NO_SINCE.test(result.stderr) ? deepenBy('--unshallow') : result
  })
}
