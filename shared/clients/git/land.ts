import { setTimeout as sleep } from 'node:timers/promises'
import { DroverError } from '../../errors.ts'
import type { Transaction } from '../../fleet.ts'
import { commitsPerPush, retries } from '../../telemetry/metrics.ts'
import type { Clone, Tip } from './clone.ts'
import { type Failure, isOfRoom } from './failure.ts'
import type { History, Made } from './find.ts'
import type { Signature } from './new-objects.ts'
import { decideAll, type Ending, type Plan, toEndings, writeCommits } from './plan.ts'
import { publish } from './publish.ts'
import { noRoom } from './signs.ts'
import type { EntryTree } from './tree.ts'

export interface Landing {
  clone: Clone
  treeAt(tip: Tip): Promise<EntryTree>
  author: Signature
  /** How often in a row it may fail. */
  tries: number
  /** After so many milliseconds no further try begins, however often others were first. */
  patience: number
  /** How many milliseconds a server is left alone that wants to be asked less often. */
  ratePause: number
  signal: AbortSignal
  /** Told what was made. */
  note: History['note']
  redact(text: string): string
}

const FIRST_PAUSE = 40
const LONGEST_PAUSE = 3_000
const LATE_PAUSE = 100

/** Brings a batch of transactions onto the branch, with one push, and says how each of them ended. */
export async function land(landing: Landing, batch: readonly Transaction<unknown>[]): Promise<Ending[]> {
  // One moment for all attempts: written again on the same base, the commits keep their ids.
  const seconds = Math.floor(Date.now() / 1_000)
  let isFresh = false
  let plan: Plan | undefined
  landing.clone.begin()
  let base: Tip | undefined = landing.clone.newest
  let failure: Failure | undefined
  const started = performance.now()
  let failures = 0
  let unclear = 0
  const mayTry = () => failures < landing.tries && performance.now() - started < landing.patience
  let attempt = 1
  for (; attempt === 1 || mayTry(); attempt++) {
    if (attempt > 1) {
      retries.inc({ of: 'push' })
      await pause(pauseAfter(failure, failures, landing), landing.signal)
    }
    try {
      if (!base) {
        base = await landing.clone.seen()
        isFresh = true
      }
      plan ??= await toPlan(landing, base, batch, seconds)
      const outcome = await publish(landing, plan, isFresh)
      if (outcome.kind === 'done') {
        if (plan.commits.length > 0) commitsPerPush.observe(plan.commits.length)
        landing.note(plan.base.commit, toMade(plan, batch))
        return toEndings(plan)
      }
      if (outcome.kind === 'moved') {
        base = outcome.tip
        isFresh = true
        plan = undefined
        failure = undefined
        failures = 0
        unclear = 0
        continue
      }
      failure = outcome.failure
      // The clone was replaced meanwhile, and with it went what was to be pushed. On the same base it becomes the same.
      if (plan.remakes !== landing.clone.remakes) plan = undefined
    } catch (error) {
      failure = toThrown(error)
      // A plan that may have been pushed is kept and pushed again: decided anew, it would be made twice.
      if (!plan) base = undefined
      else if (failure.kind === 'unclear') failure = { ...failure, kind: 'passing' }
    }
    if (failure.kind === 'final') return decline(landing, batch, plan, failure)
    failures++
    unclear = failure.kind === 'unclear' ? unclear + 1 : 0
    // Twice in a row on the same base, and not the server's word: look for the fault in the clone.
    if (unclear === 2) {
      base = await landing.clone.remake(String(failure.error.cause)).catch(() => undefined)
      isFresh = base !== undefined
      plan = undefined
    }
  }
  return batch.map(() => ({ error: failure?.error ?? movedTooOften(attempt - 1) }))
}

function toMade({ verdicts, commits }: Plan, batch: readonly Transaction<unknown>[]): Made[] {
  const committed = batch.filter((_, index) => verdicts[index]?.kind === 'commit')
  return commits.flatMap((commit, index) => {
    const { run, step } = committed[index]?.trailers ?? {}
    return run === undefined || step === undefined ? [] : [{ run, step, commit }]
  })
}

async function toPlan(
  landing: Landing,
  base: Tip,
  batch: readonly Transaction<unknown>[],
  seconds: number,
): Promise<Plan> {
  const tree = await landing.treeAt(base)
  const verdicts = await decideAll(tree, batch)
  const commits = verdicts.flatMap((verdict) => (verdict.kind === 'commit' ? [verdict.commit] : []))
  const { remakes } = landing.clone
  const by = { author: landing.author, seconds }
  const written = await writeCommits(landing.clone, tree, base.commit, commits, by)
  return { base, verdicts, commits: written, remakes }
}

/**
 * The server will not have the batch. It may dislike a single commit, or so many, so they get another chance by halves. What
 * commits nothing was decided on top of what does, and is decided again without it.
 */
async function decline(
  landing: Landing,
  batch: readonly Transaction<unknown>[],
  plan: Plan | undefined,
  { error, about }: Failure,
): Promise<Ending[]> {
  if (!plan || plan.commits.length === 0) return batch.map(() => ({ error }))
  const isOfSome = about === 'size' || (error.reason === 'refused' && about !== 'branch')
  if (isOfSome && plan.commits.length > 1) {
    const middle = Math.ceil(batch.length / 2)
    const first = await land(landing, batch.slice(0, middle))
    return [...first, ...(await land(landing, batch.slice(middle)))]
  }
  const isCommit = (_: unknown, index: number) => plan.verdicts[index]?.kind === 'commit'
  const others = batch.filter((one, index) => !isCommit(one, index))
  const endings = others.length > 0 ? await land(landing, others) : []
  return batch.map((one, index) => (isCommit(one, index) ? { error } : (endings.shift() ?? { error })))
}

function toThrown(error: unknown): Failure {
  if (isOfRoom(error))
    return {
      kind: 'unclear',
      error: new DroverError('busy', `Cannot commit to the fleet repository: ${noRoom}`, { cause: error }),
    }
  if (error instanceof DroverError) return { kind: error.reason === 'busy' ? 'passing' : 'final', error }
  return {
    kind: 'passing',
    error: new DroverError('busy', 'Cannot commit to the fleet repository: Git failed', { cause: error }),
  }
}

function movedTooOften(tries: number): DroverError {
  return new DroverError('busy', `Cannot commit to the fleet repository: others committed first, ${tries} times`)
}

/** Who was only late is soon back: whoever is ahead lets others pass for a moment, now and then. */
function pauseAfter(failure: Failure | undefined, failures: number, { ratePause }: Landing): number {
  if (failure?.about === 'rate') return ratePause
  const longest = failure ? Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (failures - 1)) : LATE_PAUSE
  return Math.random() * longest
}

const pause = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  sleep(milliseconds, undefined, { signal }).catch(() => undefined)
