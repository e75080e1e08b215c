import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import type { Seen } from '../../local/feed.ts'
import { eventType, sweep, terminalOf } from '../../shared/event-types.ts'
import { type LifecycleName, terminals } from '../../shared/lifecycles.ts'
import { runFile } from '../../shared/paths.ts'
import { runId } from '../../shared/run.ts'
import { parseYaml } from '../../shared/yaml.ts'
import { type Chain, factsOf, isReal, type Run, startChain } from './harness.ts'

/** A Broker that loses events, as an in-memory channel does when it is restarted, and the ticks at which runs go on. */

/** A chain in which a run is soon taken for lost: as soon as it has had the time that clusters take. */
export const startHasty = (settings: Record<string, string> = {}): Promise<Chain> =>
  startChain({
    DROVER_QUIET_MINUTES: isReal() ? '0.25' : '0.05',
    DROVER_PATIENCE_SECONDS: isReal() ? '12' : '1',
    ...settings,
  })

/** Posts a tick, as the timer of `npm run local` and a PingSource do. */
export async function tick(chain: Chain): Promise<void> {
  const headers = { 'ce-specversion': '1.0', 'ce-id': randomUUID(), 'ce-source': '/timer', 'ce-type': sweep.type }
  expect(await chain.post({ ...headers, 'content-type': 'application/json' }, '{}')).toBe(202)
}

/** The same, and waits until nothing of what it moved is under way any more. */
export async function ticked(chain: Chain): Promise<void> {
  await tick(chain)
  await chain.idle()
}

/** Ticks until what is waited for has come. */
export async function ticking<T>(chain: Chain, wanted: Promise<T>, milliseconds = 1_000): Promise<T> {
  const ended = new AbortController()
  const beat = async () => {
    while (!ended.signal.aborted) {
      await tick(chain)
      await sleep(milliseconds)
    }
  }
  const beating = beat()
  return wanted.finally(() => {
    ended.abort()
    return beating
  })
}

/**
 * Resolves when no event is under way, or after ten seconds: an event of a run that has been undone since is waited for
 * until the run's time is up.
 */
export const quiet = (chain: Chain): Promise<unknown> => Promise.race([chain.idle(), sleep(10_000)])

/**
 * Ticks until all is done, but as far as can be only while no event is under way: what stands still then has lost one, and
 * no run that is merely slow is taken for lost.
 */
export async function tickingWhenQuiet<T>(chain: Chain, all: Promise<T>): Promise<T> {
  const ended = new AbortController()
  const beat = async () => {
    while (!ended.signal.aborted) {
      await quiet(chain)
      await tick(chain)
      await sleep(300)
    }
  }
  const beating = beat()
  return all.finally(() => {
    ended.abort()
    return beating
  })
}

export interface Losing {
  lifecycle?: LifecycleName
  id?: string
  /** So many deliveries of it come through first. */
  after?: number
  /** Asked at each delivery of it: whether this is the one to lose. */
  when?: () => boolean
  extensions?: Record<string, string>
}

/** A request whose event of this fact the Broker takes, and nobody ever hears of. Resolves when it is lost; a run must not end before. */
export async function requestLosing(
  chain: Chain,
  data: object,
  fact: string,
  { lifecycle = 'provision', id = randomUUID(), after = 0, when = () => true, extensions = {} }: Losing = {},
): Promise<Run> {
  const before = chain.tamper.with
  const [type, own] = [eventType(lifecycle, fact), runId('/tests', id)]
  let seen = 0
  let isLost = false
  const lost = new Promise<void>((done) => {
    chain.tamper.with = (name, event) => {
      const isIt = !isLost && event.type === type && (event.run || runId('/tests', event.id)) === own
      if (!isIt || seen++ < after || !when()) return before(name, event)
      isLost = true
      done()
      return 204
    }
  })
  const run = await chain.request(data, { lifecycle, id, extensions })
  const early = run.ended.then(({ type }) => {
    throw new Error(`Cannot lose ${fact} of ${lifecycle} ${id}: the run has ended with ${type} before`)
  })
  await Promise.race([lost, early])
  return run
}

/** The record of a run, as Git has it. */
export const recordOf = async (run: Run, chain: Chain): Promise<unknown> =>
  parseYaml(await chain.git('show', `main:${runFile(run.id)}`))

/** The subjects of a run's commits, the first one first. */
export const subjectsOf = async (run: Run, chain: Chain): Promise<string[]> =>
  (await chain.git('log', '--reverse', '--format=%s', `--grep=Drover-Run: ${run.id}`, 'main'))
    .split('\n')
    .filter((subject) => subject !== '')

/** True for the commit that notes that a run was made to go on. */
export const isResumption = (subject: string): boolean => subject.startsWith('Go on with')

/** True for the event that ends a run, whether or not anybody is told of it. */
export const isEndOf =
  ({ id }: Run) =>
  ({ run, type }: Seen): boolean =>
    run === id && terminalOf(type) !== undefined

/** How a run has ended, as far as it is known. */
export const terminalsOf = (run: Run): Set<string> =>
  new Set(factsOf(run).filter((fact) => terminals.some((one) => one === fact)))

/** Does something with each, a dozen at once: runs wait most of the time. */
export async function byTheDozen<T>(all: readonly T[], act: (one: T) => Promise<void>): Promise<void> {
  const left = [...all]
  const next = async (): Promise<void> => {
    const one = left.shift()
    if (one === undefined) return
    await act(one)
    return next()
  }
  await Promise.all(Array.from({ length: 12 }, next))
}
