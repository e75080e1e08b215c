import { DroverError } from '../../errors.ts'
import type { GitObject, ObjectReader } from './cat-file.ts'
import { startReader } from './cat-file.ts'
import { coalesce, inTurn } from './coalesce.ts'
import { type CloneConfig, hasBranch, type Made, makeClone, QUIET, refspecOf, runIn, trackingOf } from './make-clone.ts'
import type { GitResult } from './process.ts'
import { leaveRoom } from './room.ts'
import { tidier } from './tidy.ts'

/** The newest commit of the branch; no commit means that the branch is not there yet. */
export interface Tip {
  commit: string | undefined
}

/** A bare, shallow, partial clone: made at first use, kept warm, made again when it is damaged. */
export interface Clone {
  readonly url: string
  readonly branch: string
  /** The newest commit we know of, without asking the server. */
  readonly newest: Tip | undefined
  /** Says that a push made this commit the newest. */
  advance(commit: string): void
  /** Asks the server for the newest commit; never answers with what was true before the call. */
  fetch(): Promise<Tip>
  /** Fetches the commits since then (seconds), without what they hold. */
  deepen(since: number): Promise<GitResult>
  /** Fetches these files in one go, as far as the server allows. */
  prefetch(oids: readonly string[]): Promise<void>
  /** Runs a command in the clone. */
  git(args: readonly string[], options?: { timeout?: number; input?: string }): Promise<GitResult>
  /** The object of this name; fetched from the server when the clone does not hold it. */
  object(name: string): Promise<GitObject>
  /** Puts a new clone in the place of a damaged one. */
  remake(why: string): Promise<Tip>
  close(): Promise<void>
}

const TIDY_EVERY = 250

/** Prepares the clone; nothing is fetched before the first use. */
export function openClone(config: CloneConfig): Clone {
  const held = holdClone(config)
  const readers = holdReader(config)
  const { timeouts, signal } = config
  let newest: Tip | undefined
  let advances = 0

  const tipOf = async ({ directory }: Made): Promise<Tip> => {
    const reader = await readers.of(directory)
    return { commit: (await reader.read(trackingOf(config)))?.oid }
  }
  const replace = async (why: string): Promise<Tip> => {
    config.onRemake(why)
    newest = await tipOf(await held.replace())
    return newest
  }
  let remaking: Promise<Tip> | undefined
  const remake = (why: string): Promise<Tip> => {
    remaking ??= replace(why).finally(() => {
      remaking = undefined
    })
    return remaking
  }
  const tidy = tidier(TIDY_EVERY, (args) => git(args, { timeout: timeouts.clone }))
  const fetchInto = async (made: Made, isNew: boolean): Promise<Tip> => {
    if (isNew) return tipOf(made)
    const result = await runIn(config, made.directory, ['fetch', ...QUIET, 'origin', refspecOf(config)], timeouts.fetch)
    if (result.code === 0) return tipOf(made)
    // The server is well and has the branch, so it is the clone that is not.
    if (await hasBranch(config, made.directory)) return remake(config.remote.redact(result.stderr))
    await runIn(config, made.directory, ['update-ref', '-d', trackingOf(config)], timeouts.local)
    return tipOf(made)
  }
  const fetch = coalesce(async (): Promise<Tip> => {
    void tidy()
    const before = advances
    const isNew = !held.isOpen
    const tip = await fetchInto(await held.open(), isNew)
    // A push that ended meanwhile knows better.
    if (before === advances) newest = tip
    return tip
  })
  const git: Clone['git'] = async (args, options = {}) =>
    runIn(config, (await held.open()).directory, args, options.timeout ?? timeouts.local, options.input)

  let earliest = Number.POSITIVE_INFINITY
  const deepen = inTurn((since: number) => {
    // Git would also shorten the history again, while somebody else still searches it.
    earliest = Math.min(earliest, since)
    const start = new Date(earliest * 1_000).toISOString()
    const args = ['fetch', ...QUIET, `--shallow-since=${start}`, '--filter=tree:0', 'origin', refspecOf(config)]
    return git(args, { timeout: timeouts.clone })
  })
  let canPrefetch = true
  const prefetch = async (oids: readonly string[]): Promise<void> => {
    if (!canPrefetch) return
    // The files stand alone: there is nothing to negotiate about, and no branch to follow.
    const args = ['-c', 'fetch.negotiationAlgorithm=noop', 'fetch', ...QUIET, '--filter=blob:none', '--stdin', 'origin']
    const result = await git(args, { timeout: timeouts.fetch, input: `${oids.join('\n')}\n` })
    // What was not fetched together is fetched alone when it is read; some servers allow nothing else.
    canPrefetch = result.code === 0
  }
  const object = async (name: string): Promise<GitObject> => {
    const started = Date.now()
    for (let attempt = 1; ; attempt++) {
      const made = await held.open()
      try {
        const found = await (await readers.of(made.directory)).read(name)
        if (found) return found
        throw new DroverError('busy', `Cannot read the fleet repository: the object ${name} is missing`)
      } catch (error) {
        if (signal.aborted || attempt === 3 || Date.now() - started >= timeouts.local) throw error
        if (attempt === 2 && made === (await held.open())) await remake(`object ${name} cannot be read`)
      }
    }
  }
  return {
    url: config.remote.url,
    branch: config.branch,
    get newest() {
      return newest
    },
    advance: (commit) => {
      void tidy()
      advances++
      newest = { commit }
    },
    ...{ fetch, deepen, prefetch, git, object, remake },
    close: async () => {
      readers.end()
      await held.leave()
    },
  }
}

/** Keeps the one clone there is, and changes it for another without a gap. */
function holdClone(config: CloneConfig) {
  let current: Promise<Made> | undefined
  const open = (): Promise<Made> => {
    config.signal.throwIfAborted()
    if (current) return current
    const making = makeClone(config)
    current = making
    making.catch(() => {
      if (current === making) current = undefined
    })
    return making
  }
  const replace = async (): Promise<Made> => {
    const before = await current?.catch(() => undefined)
    const made = await makeClone(config)
    current = Promise.resolve(made)
    if (before) await leaveRoom(before.directory)
    return made
  }
  const leave = async () => {
    const made = await current?.catch(() => undefined)
    if (made) await leaveRoom(made.directory)
  }
  return {
    get isOpen() {
      return current !== undefined
    },
    ...{ open, replace, leave },
  }
}

/** Keeps one reader: for the clone of the moment, with the token of the moment. */
function holdReader({ remote, timeouts }: CloneConfig) {
  let reader: ObjectReader | undefined
  let made = ''
  const of = async (directory: string): Promise<ObjectReader> => {
    const env = await remote.environment()
    const wanted = JSON.stringify({ directory, env })
    if (reader && !reader.ended && made === wanted) return reader
    reader?.finish()
    made = wanted
    reader = startReader({ directory, env, timeout: timeouts.local, redact: remote.redact })
    return reader
  }
  return { of, end: () => reader?.end() }
}
