import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { DroverError } from '../../errors.ts'
import { isOfCredentials, isOfRoom, toFailure } from './failure.ts'
import { type GitResult, runGit } from './process.ts'
import type { Remote } from './remote.ts'
import { leaveRoom, takeRoom } from './room.ts'
import { noRoom } from './signs.ts'

export interface Timeouts {
  clone: number
  fetch: number
  push: number
  /** For what needs no network, or only now and then a single object. */
  local: number
}

export interface CloneConfig {
  remote: Remote
  branch: string
  /** The folder that the clone is kept in. */
  directory: string
  timeouts: Timeouts
  signal: AbortSignal
  /** The commands that are under way. */
  running: Set<Promise<unknown>>
  onRemake(why: string): void
}

/** A clone that is there; a new object for each, so that one can be told from the next. */
export interface Made {
  directory: string
}

/** What a fetch must not do besides fetching. */
export const QUIET = [
  '--quiet',
  '--no-tags',
  '--no-write-fetch-head',
  '--no-recurse-submodules',
  '--no-show-forced-updates',
]

/**
 * Which files come with what is new on the branch. What came since the last look is small, and most of it is about to be
 * read: with it comes what else would be asked for later.
 */
export const FILTER = 'blob:limit=65536'

type Branch = Pick<CloneConfig, 'branch'>

/** The local name for the server's branch. */
export function trackingOf({ branch }: Branch): string {
  return `refs/remotes/origin/${branch}`
}

export function refspecOf({ branch }: Branch): string {
  return `+refs/heads/${branch}:${trackingOf({ branch })}`
}

/** Runs git in a clone, with the credentials of this moment; once more when those were changed just then. */
export async function runIn(
  { remote, signal, running }: CloneConfig,
  directory: string,
  args: readonly string[],
  timeout: number,
  input?: string,
): Promise<GitResult> {
  const runWith = (env: Record<string, string>) => {
    const run = runGit({ directory, args, env, timeout, signal, ...(input === undefined ? {} : { input }) })
    running.add(run)
    return run.finally(() => running.delete(run))
  }
  const env = await remote.environment()
  const result = await runWith(env)
  if (!isOfCredentials(result)) return result
  const newer = await remote.environment()
  return isDeepStrictEqual(newer, env) ? result : runWith(newer)
}

/**
 * Whether the server has the branch; false only when it has no branch at all, for a wrong name must not found a fleet of
 * its own. Throws when the server cannot be asked. The clone need not be sound.
 */
export async function hasBranch(config: CloneConfig, directory: string): Promise<boolean> {
  const args = ['ls-remote', '--quiet', '--heads', config.remote.url]
  const result = await runIn(config, directory, args, config.timeouts.fetch)
  if (result.code !== 0) throw toFailure('read the fleet repository', result, config.remote.redact).error
  const names = [...result.stdout.matchAll(/^[0-9a-f]+\trefs\/heads\/(.+)$/gm)].map((match) => match[1])
  if (names.length === 0 || names.includes(config.branch)) return names.length > 0
  const found = names.slice(0, 5).join(', ')
  throw new DroverError('broken', `Cannot read the fleet repository: it has no branch "${config.branch}", but ${found}`)
}

/** Makes a new clone in a folder of its own, down to what servers can do that know neither shallow nor partial clones. */
export async function makeClone(config: CloneConfig): Promise<Made> {
  const { timeouts, remote } = config
  const directory = await takeRoom(config.directory)
  const must = async (running: Promise<GitResult>) => {
    const result = await running
    if (result.code !== 0) throw toFailure('read the fleet repository', result, remote.redact).error
  }
  try {
    await must(runIn(config, directory, ['init', '--quiet', '--bare', '--template='], timeouts.local))
    await appendFile(join(directory, 'config'), settingsOf(remote.url, refspecOf(config)))
    const fetch = async (...how: string[]) => {
      const args = ['fetch', ...QUIET, ...how, 'origin', refspecOf(config)]
      const result = await runIn(config, directory, args, timeouts.clone)
      if (result.timedOut || isOfRoom(result.stderr))
        throw toFailure('read the fleet repository', result, remote.redact).error
      return result.code === 0
    }
    const little = ['--depth=1', '--filter=blob:none']
    if (await fetch(...little)) return { directory }
    if (!(await hasBranch(config, directory))) return { directory }
    // It may have been the moment. All of a large fleet takes long, and the clone stays so large.
    if (await fetch(...little)) return { directory }
    await must(
      runIn(config, directory, ['fetch', ...QUIET, '--no-filter', 'origin', refspecOf(config)], timeouts.clone),
    )
    return { directory }
  } catch (error) {
    await leaveRoom(directory)
    if (error instanceof DroverError || !isOfRoom(error)) throw error
    throw new DroverError('busy', `Cannot read the fleet repository: ${noRoom}`, { cause: error })
  }
}

function settingsOf(url: string, refspec: string): string {
  return `[core]
	repositoryformatversion = 1
[extensions]
	partialClone = origin
[remote "origin"]
	url = ${JSON.stringify(url)}
	fetch = ${JSON.stringify(refspec)}
	promisor = true
	partialclonefilter = blob:none
`
}
