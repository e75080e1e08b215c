import { createHash, randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Seen } from '../../local/feed.ts'
import { environment } from '../../shared/config.ts'
import { terminals } from '../../shared/lifecycles.ts'
import { type Chain, type Run, startChain } from '../chain/harness.ts'
import { aboutIn, example, life } from '../chain/life.ts'

/**
 * A Broker that delivers at least once, and does its worst: each event of a whole life comes five times, at any time within
 * seconds of the first, and some are cut off in the middle. DROVER_SEED plays one order again.
 */

const seed = environment()['DROVER_SEED'] ?? String(randomInt(1 << 30))
const copies = 4
const spreadMilliseconds = 3_000
const deadlineMinutes = 1

let chain: Chain
const posting = new Set<Promise<unknown>>()
const told = new Set<string>()
const runs: Run[] = []

const post = (json: string) => chain.post({ 'content-type': 'application/cloudevents+json' }, json)

/** A number between 0 and 1 that follows from the seed and the words alone. */
const chance = (...words: unknown[]) =>
  createHash('sha256')
    .update([seed, ...words].join(' '))
    .digest()
    .readUInt32BE(0) /
  2 ** 32

function repeat({ id, source, json }: Seen): void {
  if (told.has(`${source} ${id}`)) return
  told.add(`${source} ${id}`)
  const later = async (copy: number) => {
    await sleep(chance(id, copy) * spreadMilliseconds)
    return post(json)
  }
  for (let copy = 0; copy < copies; copy += 1) posting.add(later(copy))
  posting.add(post(json.slice(0, json.length / 2)))
}

const isEnd = ({ type }: Seen) => terminals.some((fact) => type.endsWith(`.${fact}`))

beforeAll(async () => {
  chain = await startChain({ DROVER_GRACE_SECONDS: '2', DROVER_DEADLINE_MINUTES: String(deadlineMinutes) })
  chain.feed.listen(repeat)
})
afterAll(() => chain.close())

describe(`each event five times, in any order (DROVER_SEED=${seed})`, () => {
  it.each(life)('%s completes', async (lifecycle) => {
    const run = await chain.request(example(lifecycle).data, { lifecycle })
    runs.push(run)
    const { type, data } = await run.ended
    expect([type, data.message]).toEqual([
      `dev.drover.${lifecycle}.completed`,
      expect.stringContaining(aboutIn(lifecycle)),
    ])
  })

  it('commits nothing twice', async () => {
    const trailers = '%(trailers:key=Drover-Run,key=Drover-Step,valueonly,separator=%x20)'
    const steps = (await chain.git('log', `--format=${trailers}`, 'main')).split('\n').filter((line) => line !== '')
    expect(steps.length).toBeGreaterThan(life.length * 2)
    expect(steps.filter((step, at) => steps.indexOf(step) !== at)).toEqual([])
  })

  it('ends each run once, and well', () => {
    for (const run of runs) {
      const ends = new Set(
        run
          .events()
          .filter(isEnd)
          .map(({ type, id }) => `${type} ${id}`),
      )
      expect([...ends]).toHaveLength(1)
      expect(run.events().filter(({ type }) => type.endsWith('.stranded'))).toEqual([])
    }
  })
})
