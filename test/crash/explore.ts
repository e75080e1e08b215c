import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { taskFor } from '../../shared/event-types.ts'
import { endOf, storyOf } from '../chain/harness.ts'
import { machinesOf } from '../chain/machines.ts'
import type { Place } from '../chain/set-ups.ts'
import { afflict } from '../chain/troubles.ts'
import { type Left, leftInGit, leftOnClusters, look } from './left.ts'
import { type Life, prepare, requestOf } from './lives.ts'
import { give, isTaken, type Orders, openNotes, takeBack, typeIn } from './orders.ts'
import type { World } from './world.ts'
import type { Worlds } from './worlds.ts'

/** What came of a life that was lived again and again, with crashes at other points each time. */
export interface Explored {
  /** Where a process can be killed, as the processes noted it themselves in lives without a crash. */
  points: string[]
  /** Where one was killed. */
  crashed: string[]
  /** Points of the sample that did not come up again: whoever waits does not look as often each time. */
  missed: string[]
  /** What such a run left otherwise than one without a crash. */
  problems: string[]
  /** What a run without a crash leaves. */
  reference: Left
}

/** So many machines are made at once. */
const batch = 3
const mostProblems = 5
/** So many runs more are given to points that did not come up again. */
const mostAgain = 6

/**
 * Lives a life without a crash, and then until a run has met no point any more at which no process was killed yet: which points
 * there are shows only as they are met. In each run every step is killed, at the next of its own points, and again when its
 * event has come again.
 */
export async function explore(
  life: Life,
  worlds: Worlds,
  sample: Pick<Orders, 'every' | 'seed' | 'kills'>,
): Promise<Explored> {
  const notes = mkdtempSync(join(tmpdir(), 'drover-notes-'))
  const { met, crashed } = openNotes(notes)
  const { lifecycle, only } = life
  const scenes = scenesOf(life, worlds)
  let run = 0
  const go = async (kills: number, wanted: Left) => {
    const scene = await scenes.next()
    const { orders } = scene.world
    run += 1
    const lived = await live(life, scene, () => give(orders, { notes, lifecycle, only, run, ...sample, kills }), wanted)
    return { ...lived, kills: takeBack(orders) }
  }
  const problems: string[] = []
  try {
    // The first run finds functions that have only just started: what they do then is a life of its own.
    const { left: reference } = await live(life, await scenes.next())
    expect(await go(0, reference)).toMatchObject({ left: reference, ends: 0 })
    const points = met()
    const missed = () => points.filter((point) => isTaken(point, sample) && !crashed().includes(point))
    for (let quiet = 0; quiet === 0 || (quiet <= mostAgain && missed().length > 0); ) {
      const known = crashed()
      const lived = await go(sample.kills, reference)
      if (lived.kills === 0) quiet += 1
      const here = crashed().filter((one) => !known.includes(one))
      // That they were to be killed the processes wrote down themselves; that they have ended others see.
      const wanted = { ...reference, ends: lived.kills }
      const problem = differenceOf({ ...lived.left, ends: lived.ends }, wanted)
      if (problem !== undefined) problems.push([...here, problem, ...lived.story, ...lived.logsOf(here)].join('\n'))
      if (problems.length >= mostProblems) break
    }
    return { points, crashed: crashed(), missed: missed(), problems, reference }
  } finally {
    scenes.end()
    rmSync(notes, { recursive: true, force: true })
  }
}

interface Scene {
  world: World
  place: Place
}

/** Where a life can be lived, again and again. */
function scenesOf(life: Life, worlds: Worlds) {
  let world: World | undefined
  let places: Place[] = []
  const end = () => {
    if (world) worlds.giveBack(world)
    world = undefined
  }
  const next = async (): Promise<Scene> => {
    if (places.length === 0 || !world) {
      end()
      const taken = await worlds.take(batch)
      world = taken
      const machines = machinesOf(() => taken.chain)
      places = await Promise.all(Array.from({ length: batch }, () => prepare(life, worlds.count(), machines)))
      await taken.chain.idle()
    }
    return { world, place: places.shift() as Place }
  }
  return { next, end }
}

/** One run from its request to its end, what it leaves, and how many processes have ended meanwhile. */
async function live(life: Life, { world, place }: Scene, order = () => {}, wanted?: Left) {
  const { chain, outside } = world
  const before = await look(chain, place)
  const ends = world.ends()
  const isCold = life.cold && life.only && world.kill(life.only)
  const stop = life.trouble && afflict(chain, place.namespace, life.trouble)
  order()
  const run = await chain.request(requestOf(life, place, outside.callback), { lifecycle: life.lifecycle })
  const ended = await endOf(run, longest)
  await chain.idle()
  stop?.()
  const [inGit, onClusters] = [
    await leftInGit(world, run, ended, place, before),
    await leftOnClusters(chain, run, place, before, wanted?.shown),
  ]
  const logsOf = (points: readonly string[]) => {
    const names = new Set(points.flatMap((point) => taskFor(typeIn(point))?.task.by ?? []))
    return [...names].map((by) => `the log of ${by}:\n${world.logOf(by)}`)
  }
  const left: Left = { ...inGit, shown: onClusters }
  return { left, ends: world.ends() - ends - (isCold ? 1 : 0), story: storyOf(run), logsOf }
}

/** Each kill holds a run up for as long as the Broker waits before it tries again. */
const longest = 400_000

function differenceOf<T>(is: T, wanted: T): string | undefined {
  try {
    expect(is).toEqual(wanted)
    return undefined
  } catch (error) {
    return String(error)
  }
}
