import { randomInt } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildBundle } from '../../scripts/build.ts'
import { environment } from '../../shared/config.ts'
import { taskFor } from '../../shared/event-types.ts'
import { type FunctionName, lifecycleOf, undo } from '../../shared/lifecycles.ts'
import { explore } from './explore.ts'
import { type Life, lives, nameOf } from './lives.ts'
import { typeIn } from './orders.ts'
import { startCrashable } from './world.ts'
import { openWorlds } from './worlds.ts'

/**
 * A function's process is killed before, during and after each call that it makes to the outside, and each answer that it gives: in
 * every step of every lifecycle, in undoing, and just after its start; in one run each step a few times. The run has to end
 * as it does without a crash.
 * DROVER_CRASH_EVERY takes one point of so many, chosen by DROVER_SEED; DROVER_CRASH_KILLS=1 kills each step of a run once.
 */

/** A number from 1 on that a variable says. */
function readCount(name: string, fallback: string): number {
  const text = environment()[name] ?? fallback
  const count = Number(text)
  if (Number.isInteger(count) && count >= 1) return count
  throw new Error(`Cannot start: ${name} is "${text}", wanted a whole number from 1 on`)
}

const seed = environment()['DROVER_SEED'] ?? String(randomInt(1 << 30))
const every = readCount('DROVER_CRASH_EVERY', '1')
const sample = { every, seed, kills: readCount('DROVER_CRASH_KILLS', '3') }

const folder = mkdtempSync(join(tmpdir(), 'drover-bundle-'))
const bundle = join(folder, 'drover.cjs')
const worlds = openWorlds(() => startCrashable(bundle))
let all = 0

beforeAll(() => buildBundle(bundle))
afterAll(async () => {
  await worlds.close()
  rmSync(folder, { recursive: true, force: true })
  say(`killed at ${all} points in all`)
  expect(all).toBeGreaterThan(0)
})

/** How many points of a sample need not come up again. */
const mostMissed = (size: number) => Math.max(3, size / 20)

const say = (sentence: string) => process.stderr.write(`${sentence}\n`)

/** The functions of a life that must have points, and at which tasks. */
function tasksOf({ lifecycle, only }: Life): string[] {
  const tasks = [...lifecycleOf(lifecycle).tasks, undo]
  const isIn = (by: FunctionName) => (only === undefined ? by !== undo.by : by === only)
  return tasks.flatMap(({ name, by }) => (isIn(by) ? [name] : []))
}

describe(`a run whose functions are killed at one point of ${every} (DROVER_SEED=${seed})`, () => {
  it.concurrent.each(lives.map((life) => ({ name: nameOf(life), ...life })))(
    '$name: ends as without a crash, wherever that is',
    async ({ name, ...life }) => {
      const { points, crashed, missed, problems, reference } = await explore(life, worlds, sample)
      all += crashed.length
      const passed = `a run without a kill passes ${points.length}`
      say(
        `${name}: killed at ${crashed.length} points; ${passed}, of which ${missed.length} did not come up again; ${problems.length} runs ended otherwise`,
      )
      expect(reference).toMatchObject({ ends: [`dev.drover.${life.lifecycle}.${life.ends}`], open: [] })
      // An undo puts a machine back in stages, each of them a commit of its own.
      if (life.ends === 'completed') expect(new Set(reference.commits).size).toBe(reference.commits.length)
      expect([...new Set(points.map((point) => taskFor(typeIn(point))?.task.name))].sort()).toEqual(
        tasksOf(life).sort(),
      )
      expect(problems).toEqual([])
      // Whoever waits does not look as often each time, and only there a point may stay away.
      expect(missed.length, missed.join('\n')).toBeLessThanOrEqual(mostMissed(crashed.length + missed.length))
    },
  )
})
