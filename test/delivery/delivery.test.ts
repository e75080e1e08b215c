import { createHash, randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Seen } from '../../local/feed.ts'
import { environment } from '../../shared/config.ts'
import { terminalOf } from '../../shared/event-types.ts'
import type { LifecycleName } from '../../shared/lifecycles.ts'
import { type Chain, type Run, startChain } from '../chain/harness.ts'
import { aboutIn, example, life } from '../chain/life.ts'

/**
 * A Broker that delivers at least once, and does its worst: each event of a whole life comes five times, at any time within
 * seconds of the first, and some are cut off in the middle. DROVER_SEED plays one order again.
 */

const seed = environment()['DROVER_SEED'] ?? String(randomInt(1 << 30))
const copies = 4
const spreadMilliseconds = 3_000
/** A copy for a machine that is gone by then waits for it as long as its run might have. */
const deadlineMinutes = 1

let chain: Chain
let stopRepeating = () => {}
/** The answers to whole copies and to cut ones, each by its event. */
const whole: Promise<string>[] = []
const cut: Promise<string>[] = []
/** How often the Broker has taken in each event. */
const taken = new Map<string, number>()
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
  const event = `${source} ${id}`
  const times = taken.get(event) ?? 0
  taken.set(event, times + 1)
  if (times > 0) return
  const answered = async (text: string) => `${event}: ${await post(text)}`
  const later = async (copy: number) => {
    await sleep(chance(id, copy) * spreadMilliseconds)
    return answered(json)
  }
  for (let copy = 0; copy < copies; copy += 1) whole.push(later(copy))
  cut.push(answered(json.slice(0, json.length / 2)))
}

/** Waits until all copies have come, and those of what has come of them. */
async function settle(): Promise<void> {
  for (let known = -1; known < whole.length; ) {
    known = whole.length
    await Promise.all([...whole, ...cut])
    await chain.idle()
  }
}

const isEnd = ({ type }: Seen) => terminalOf(type) !== undefined

beforeAll(async () => {
  chain = await startChain({ DROVER_GRACE_SECONDS: '2', DROVER_DEADLINE_MINUTES: String(deadlineMinutes) })
  stopRepeating = chain.feed.listen(repeat)
})
afterAll(async () => {
  // What is repeated is answered with more to repeat.
  stopRepeating()
  await Promise.all([...whole, ...cut])
  await chain.close()
})

/** The claims of data on the cluster, by name: the uid that tells one that came anew. */
async function dataClaims(): Promise<Record<string, string>> {
  const found = await Promise.all(chain.sites.map((site) => chain.list(site, 'PersistentVolumeClaim', 'shop')))
  const claims = found.flat().filter(({ metadata }) => metadata.name.includes('-data-'))
  return Object.fromEntries(claims.map(({ metadata }) => [metadata.name, metadata.uid]))
}

const disks = [
  { name: 'data', size: '5Gi' },
  { name: 'logs', size: '1Gi' },
]

const anyUid = (claims: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.keys(claims).map((name) => [name, expect.any(String)]))

/** Puts the data back to what it was: its claims come anew, and are recorded as the machine's. */
const putsBack = (lifecycle: LifecycleName) => lifecycle === 'restore'

describe(`each event five times, in any order (DROVER_SEED=${seed})`, () => {
  it.each(life)('%s completes', async (lifecycle) => {
    const before = await dataClaims()
    const run = await chain.request(
      { ...example(lifecycle).data, ...(lifecycle === 'provision' && { disks, deadlineMinutes }) },
      // A run is called after its request, and its events after the run: by chance they come as they did before.
      { lifecycle, id: `delivery-${lifecycle}` },
    )
    runs.push(run)
    const { type, data } = await run.ended
    expect([type, data.message]).toEqual([
      `dev.drover.${lifecycle}.completed`,
      expect.stringContaining(aboutIn(lifecycle)),
    ])
    const after = await dataClaims()
    expect(after).toMatchObject(putsBack(lifecycle) ? anyUid(before) : before)
  })

  it('has come in whole at least five times by then, and what was cut off was refused', async () => {
    await settle()
    stopRepeating()
    expect((await Promise.all(whole)).filter((answer) => !answer.endsWith(': 202'))).toEqual([])
    expect((await Promise.all(cut)).filter((answer) => !answer.endsWith(': 400'))).toEqual([])
    expect(taken.size).toBeGreaterThan(life.length * 2)
    expect([...taken].filter(([, times]) => times < copies + 1)).toEqual([])
  })

  it('leaves the data of its machine where it was, and of both as much as there is', async () => {
    const claims = Object.keys(await dataClaims())
    const names = ['prod-shop-001', 'prod-shop-copy'].flatMap((machine) =>
      disks.map(({ name }) => `${machine}-data-${name}-`),
    )
    for (const name of names) expect(claims.filter((claim) => claim.startsWith(name))).toHaveLength(1)
    expect(claims).toHaveLength(names.length)
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
