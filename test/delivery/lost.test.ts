import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Seen } from '../../local/feed.ts'
import { eventType } from '../../shared/event-types.ts'
import { type LifecycleName, lifecycleOf, lifecycles, makesImage } from '../../shared/lifecycles.ts'
import { runFile } from '../../shared/paths.ts'
import { firstOf } from '../../shared/standing.ts'
import { type Chain, type Run, small } from '../chain/harness.ts'
import { life } from '../chain/life.ts'
import {
  byTheDozen,
  isEndOf,
  isResumption,
  quiet,
  requestLosing,
  startHasty,
  subjectsOf,
  terminalsOf,
  tick,
  tickingWhenQuiet,
} from '../chain/lost.ts'
import { type Asked, cluster, type Place, requests } from '../chain/set-ups.ts'

/**
 * A Broker that loses events: many lives at once, and the n-th of them loses the n-th event of each of its runs. `lost-undo`
 * does the same to runs that fail.
 */

/** What is left of a run when the Broker has lost the event. */
type Left =
  /** The run has made no commit, so only its requester knows of it: it goes on when it is asked for again. */
  | 'nothing'
  /** Its record: it goes on at a tick. */
  | 'record'
  /** It has made its last commit: all is done, and its requester is not told. */
  | 'all'

interface Row {
  lifecycle: LifecycleName
  fact: string
  left: Left
}

/** Each fact that somebody is woken by: all but the last one of a run. */
const rows: Row[] = lifecycles.flatMap(({ name, tasks }) => {
  const first = tasks.findIndex((task) => task.name === firstOf(name))
  const last = tasks.findIndex(({ name }) => name === 'complete')
  const done = tasks.slice(0, -1).map(({ done }, at): Row => {
    const left = at < first ? 'nothing' : at < last ? 'record' : 'all'
    return { lifecycle: name, fact: done, left }
  })
  return [{ lifecycle: name, fact: 'requested', left: 'nothing' }, ...done]
})
const rowsOf = (lifecycle: LifecycleName) => rows.filter((row) => row.lifecycle === lifecycle)
const lives = Math.max(...life.map((lifecycle) => rowsOf(lifecycle).length))

/** What others need: it is done in each life. */
const needed: readonly LifecycleName[] = ['provision', 'snapshot']

/** A disk that leaves and one that stays, in each life. */
const disks = [
  { name: 'data', size: '5Gi' },
  { name: 'scratch', size: '1Gi' },
]
const changes: Partial<Record<LifecycleName, object>> = {
  snapshot: { snapshot: 'clean' },
  // The resize before has let go of the other one, where there was a resize.
  deprovision: { destroy: ['data'] },
}

function requestOf(lifecycle: LifecycleName, place: Place): object {
  if (lifecycle === 'provision') return small({ ...place, disks, placement: { cluster } })
  return { ...requests[lifecycle as Asked](place), ...changes[lifecycle] }
}

/** A run that lost an event, and how it ended. */
interface Lived {
  run: Run
  /** The commits that it had made when the event was lost. */
  before: string[]
  ended: Seen
}

let chain: Chain
const lived = new Map<string, Lived | Error>()
const keyOf = (lifecycle: LifecycleName, fact: string) => `${lifecycle} ${fact}`

/** One life, in which each run loses an event: the same one of each, where it has so many. */
async function live(at: number): Promise<void> {
  const machine = { namespace: `shop-${at}`, name: `vm-${at}` }
  const image = { namespace: `golden-${at}`, name: `rhel9-${at}` }
  for (const lifecycle of life) {
    const row = rowsOf(lifecycle)[at]
    const data = requestOf(lifecycle, makesImage(lifecycle) ? image : machine)
    if (row)
      lived.set(keyOf(lifecycle, row.fact), await lose(row, data, `${lifecycle}-${at}`).catch((error: Error) => error))
    else if (needed.includes(lifecycle)) await (await chain.request(data, { lifecycle })).ended
  }
}

async function lose({ lifecycle, fact, left }: Row, data: object, id: string): Promise<Lived> {
  const run = await requestLosing(chain, data, fact, { lifecycle, id })
  const before = await subjectsOf(run, chain)
  if (left === 'nothing') {
    await tick(chain)
    await chain.request(data, { lifecycle, id })
  }
  const ended = await chain.feed.first(isEndOf(run))
  if (left !== 'all') await run.ended
  return { run, before, ended }
}

beforeAll(async () => {
  chain = await startHasty({ DROVER_GRACE_SECONDS: '4', DROVER_PATIENCE_SECONDS: '10', DROVER_QUIET_MINUTES: '0.02' })
  await tickingWhenQuiet(chain, byTheDozen([...Array(lives).keys()], live))
  await quiet(chain)
}, 1_800_000)
afterAll(() => chain.close())

function livedOf(lifecycle: LifecycleName, fact: string): Lived {
  const found = lived.get(keyOf(lifecycle, fact)) ?? expect.fail('nothing was lost')
  if (found instanceof Error) throw found
  return found
}

/** The steps of a run that made a commit, each as often as it did. */
async function stepsOf({ run }: Lived): Promise<string[]> {
  const log = await chain.git(
    'log',
    '--reverse',
    '--format=%(trailers:key=Drover-Step,valueonly,separator=%x20)',
    `--grep=Drover-Run: ${run.id}`,
    'main',
  )
  return log.split('\n').filter((step) => step !== '' && step !== 'resume')
}

const whatIsLeft: Record<Left, string> = {
  nothing: 'before its first commit: nothing but the request can be lost, and it comes again',
  record: 'in flight: it goes on at a tick',
  all: 'after its last commit: all is done',
}

describe.each(Object.entries(whatIsLeft))('a run that lost an event with %s left, %s', (left) => {
  const own = rows.filter((row) => row.left === left)

  it.each(own)('$lifecycle, at $fact, completes once, by the commits of a run that lost nothing', async (row) => {
    const { run, ended, ...rest } = livedOf(row.lifecycle, row.fact)
    expect([ended.type, ended.data.message]).toEqual([eventType(row.lifecycle, 'completed'), expect.anything()])
    expect(terminalsOf(run)).toEqual(new Set(['completed']))
    expect(Object.keys(await chain.files())).not.toContain(runFile(run.id))
    const undisturbed = livedOf(row.lifecycle, 'completed')
    expect(await stepsOf({ run, ended, ...rest })).toEqual(await stepsOf(undisturbed))
  })
})

const of = (left: Left) => rows.filter((row) => row.left === left)

describe('a run', () => {
  it.each(of('nothing'))('of $lifecycle that lost $fact had made no commit', ({ lifecycle, fact }) => {
    expect(livedOf(lifecycle, fact).before).toEqual([])
  })

  it.each(of('record'))('of $lifecycle that lost $fact was made to go on, and says so in Git', async (row) => {
    const { run, before } = livedOf(row.lifecycle, row.fact)
    expect(before.length).toBeGreaterThan(0)
    expect((await subjectsOf(run, chain)).filter(isResumption).length).toBeGreaterThan(0)
  })

  it.each(of('all'))('of $lifecycle that lost $fact made no commit after it', async (row) => {
    const { run, before } = livedOf(row.lifecycle, row.fact)
    expect(await subjectsOf(run, chain)).toEqual(before)
  })

  it('of each lifecycle has lost each of its events', () => {
    const facts = lifecycles.flatMap(({ name }) =>
      ['requested', ...lifecycleOf(name).tasks.map(({ done }) => done)]
        .filter((fact) => fact !== 'notified')
        .map((fact) => keyOf(name, fact)),
    )
    expect([...lived.keys()].sort()).toEqual(facts.sort())
  })
})
