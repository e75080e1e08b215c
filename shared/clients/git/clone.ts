import { DroverError } from '../../errors.ts'
import { coalesce } from '../coalesce.ts'
import type { GitObject } from './cat-file.ts'
import { deepener } from './deepen.ts'
import { toFailure } from './failure.ts'
import { holdClone, holdReader } from './hold.ts'
import { type CloneConfig, FILTER, hasBranch, type Made, QUIET, refspecOf, runIn, trackingOf } from './make-clone.ts'
import type { NewObjects } from './new-objects.ts'
import { markPromised, writePack } from './pack.ts'
import type { GitResult } from './process.ts'
import { openPusher } from './push.ts'
import { quicker } from './quicker.ts'
import { tidier } from './tidy.ts'
import { updateRef } from './update-ref.ts'
import { openUploadPack } from './upload-pack.ts'

/** The newest commit of the branch; no commit means that the branch is not there yet. */
export interface Tip {
  commit: string | undefined
}

/** A bare, shallow, partial clone: made at first use, kept warm, made again when it is damaged. */
export interface Clone {
  readonly url: string
  readonly branch: string
  /**
   * The newest commit we know of, without asking the server; undefined when that is not from this very moment. Others
   * commit too, and asking costs less than a push that is refused.
   */
  readonly newest: Tip | undefined
  /** How often the clone was replaced: what was written into it before is gone, and so is the history it had. */
  readonly remakes: number
  /** When the last push began, by `performance.now()`. */
  readonly pushedAt: number
  /** Whether nobody else had committed, for several looks in a row. */
  readonly isAlone: boolean
  /** Says that a push made this commit the newest. */
  advance(commit: string): void
  /** Asks the server for the newest commit; never answers with what was true before the call. */
  fetch(): Promise<Tip>
  /** Begins a push: asks the server where the branch is, beside whatever is done until then. */
  begin(): void
  /** The newest commit, as the server said since the push began. */
  seen(): Promise<Tip>
  /** Pushes a commit, if the branch is where that began: what was seen since then, and still. */
  push(commit: string, base: Tip): Promise<GitResult>
  /** Has the commits below this one since then (seconds), without what they hold. */
  deepen(since: number, tip: string): Promise<GitResult>
  /** Fetches these files in one go, as far as the server allows. */
  prefetch(oids: readonly string[]): Promise<void>
  /** Puts commits into the clone, where nobody sees them yet. */
  write(made: NewObjects): Promise<void>
  /** Runs a command in the clone. */
  git(args: readonly string[], options?: { timeout?: number; input?: string }): Promise<GitResult>
  /** The object of this name; fetched from the server when the clone does not hold it. */
  object(name: string): Promise<GitObject>
  /** Puts a new clone in the place of a damaged one. */
  remake(why: string): Promise<Tip>
  close(): Promise<void>
}

const TIDY_EVERY = 250
/** Milliseconds for which what we know counts as new: long enough for one push after the other, and longer while nobody else commits. */
const FRESH_FOR = 30
const LONGEST_FRESH = 1_000

/** Prepares the clone; nothing is fetched before the first use. */
export function openClone(config: CloneConfig): Clone {
  const readers = holdReader(config)
  const held = holdClone(config, readers.end)
  const uploadPack = openUploadPack(config)
  const pusher = openPusher(config)
  const { timeouts, signal } = config
  let newest: Tip | undefined
  let knownAt = Number.NEGATIVE_INFINITY
  let freshFor = FRESH_FOR
  const know = (tip: Tip) => {
    newest = tip
    knownAt = performance.now()
  }
  const knowAgain = (tip: Tip, isSame: boolean) => {
    freshFor = isSame ? Math.min(freshFor * 2, LONGEST_FRESH) : FRESH_FOR
    know(tip)
  }
  let advances = 0

  const tipOf = async ({ directory }: Made): Promise<Tip> => {
    const reader = await readers.of(directory)
    return { commit: (await reader.read(trackingOf(config)))?.oid }
  }
  const replace = async (why: string): Promise<Tip> => {
    config.onRemake(why)
    know(await tipOf(await held.replace()))
    return newest as Tip
  }
  let remaking: Promise<Tip> | undefined
  const remake = (why: string): Promise<Tip> => {
    remaking ??= replace(why).finally(() => {
      remaking = undefined
    })
    return remaking
  }
  const tidy = tidier(TIDY_EVERY, {
    git: (args) => git(args, { timeout: timeouts.clone }),
    tidied: readers.renew,
    remake: async (why) => signal.aborted || remake(config.remote.redact(why)),
  })
  const fetchInto = async (made: Made): Promise<Tip> => {
    const { directory } = made
    const args = ['fetch', ...QUIET, `--filter=${FILTER}`, 'origin', refspecOf(config)]
    const result = await runIn(config, directory, args, timeouts.fetch)
    if (result.code === 0) return tipOf(made)
    if (result.timedOut) throw toFailure('read the fleet repository', result, config.remote.redact).error
    if (!(await hasBranch(config, directory))) {
      await runIn(config, directory, ['update-ref', '-d', trackingOf(config)], timeouts.local)
      return tipOf(made)
    }
    // The server is well and has the branch. If it fails again, it is the clone that is not well.
    const again = await runIn(config, directory, args, timeouts.fetch)
    return again.code === 0 ? tipOf(made) : remake(config.remote.redact(again.stderr))
  }
  const lookAndFetch = async (known: string | undefined): Promise<Tip> => {
    if (!held.isOpen) return tipOf(await held.open())
    const { replaced } = held
    const made = await held.open()
    const commit = known === undefined ? undefined : await uploadPack.fetch(made.directory, known)
    // What was brought into a clone that was replaced meanwhile is not in the new one.
    if (commit === undefined || replaced !== held.replaced) return fetchInto(await held.open())
    if (commit !== known) updateRef(made.directory, trackingOf(config), commit)
    return { commit }
  }
  const fetch = coalesce(async (): Promise<Tip> => {
    void tidy()
    const before = { advances, newest }
    const tip = await lookAndFetch(newest?.commit)
    // A push that ended meanwhile knows better.
    if (before.advances === advances) knowAgain(tip, before.newest?.commit === tip.commit)
    return tip
  })
  const begin = () => {
    if (held.isOpen)
      held.open().then(
        ({ directory }) => pusher.begin(directory),
        () => undefined,
      )
  }
  const seen = async (): Promise<Tip> => {
    void tidy()
    const before = { advances, newest, replaced: held.replaced }
    if (!before.newest?.commit || !held.isOpen) return fetch()
    const told = await pusher.seen((await held.open()).directory)
    if (told !== before.newest.commit || before.replaced !== held.replaced) return fetch()
    if (before.advances === advances) knowAgain(before.newest, true)
    return before.newest
  }
  let pushedAt = Number.NEGATIVE_INFINITY
  /** The pack of the commits that were written last. */
  let written: { pack: string; last: string | undefined } | undefined
  const push: Clone['push'] = async (commit, base) => {
    const { directory } = await held.open()
    pushedAt = performance.now()
    return pusher.push(directory, commit, base.commit)
  }
  const git: Clone['git'] = async (args, options = {}) =>
    runIn(config, (await held.open()).directory, args, options.timeout ?? timeouts.local, options.input)

  const deepen = deepener({
    git,
    branch: config.branch,
    directory: async () => (await held.open()).directory,
    timeout: timeouts.clone,
  })
  const way = quicker()
  const prefetch = async (oids: readonly string[]): Promise<void> => {
    // What is not fetched together is fetched alone when it is read; some servers allow nothing else.
    if (!way.isTried) return
    // The files stand alone: there is nothing to negotiate about, and no branch to follow.
    const args = ['-c', 'fetch.negotiationAlgorithm=noop', 'fetch', ...QUIET, '--filter=blob:none', '--stdin', 'origin']
    const result = await git(args, { timeout: timeouts.fetch, input: `${oids.join('\n')}\n` })
    way.went(result.code === 0)
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
      return performance.now() - knownAt < freshFor ? newest : undefined
    },
    get remakes() {
      return held.replaced
    },
    get pushedAt() {
      return pushedAt
    },
    get isAlone() {
      return freshFor === LONGEST_FRESH
    },
    advance: (commit) => {
      void tidy()
      advances++
      know({ commit })
      if (written?.last === commit) markPromised(written.pack)
    },
    write: async (made) => {
      written = { pack: writePack((await held.open()).directory, made), last: made.commits.at(-1) }
    },
    ...{ fetch, begin, seen, push, deepen, prefetch, git, object, remake },
    close: async () => {
      readers.end()
      await Promise.all([uploadPack.end(), pusher.end()])
      await held.leave()
    },
  }
}
