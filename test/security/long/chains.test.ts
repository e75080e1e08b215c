import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Seen } from '../../../local/feed.ts'
import { eventTypes, isTick } from '../../../shared/event-types.ts'
import { type Chain, type Run, small, startChain } from '../../chain/harness.ts'
import { requestLosing } from '../../chain/lost.ts'
import { growth } from '../../shared/metrics.ts'
import { type Attack, deadLetter, forged, type Json, type Material, moving, of, others } from './attacks.ts'

/** Forty ways to make a chain go on that did not ask for it, posted to the Broker as anybody who reaches it could. */

let chain: Chain
let material: Material
beforeAll(async () => {
  // On a busy machine disks take their time.
  chain = await startChain({ DROVER_GRACE_SECONDS: '8', DROVER_PATIENCE_SECONDS: '10' })
  const eventsOf = (run: Run) => run.events().map(({ json }: Seen) => JSON.parse(json) as Json)
  const ended = async (change: object) => {
    const run = await chain.request(small(change))
    await run.ended
    return eventsOf(run)
  }
  const held = async () => eventsOf(await requestLosing(chain, small(), 'create.verified'))
  const runs = [held(), held(), ended({}), ended({ placement: { cluster: 'nowhere' } })]
  const [one = [], other = [], over = [], undone = []] = await Promise.all(runs)
  material = { one, other, over, undone }
  await chain.idle()
}, 240_000)
afterAll(() => chain.close())

const post = (event: Json) => chain.post({ 'content-type': 'application/cloudevents+json' }, JSON.stringify(event))

/** Posts it, and answers what was said before and what was said to it; Git stays as it is. */
async function unmovedBy(attack: Attack[1]): Promise<{ known: Seen[]; after: Seen[] }> {
  const before = await chain.git('rev-parse', 'main')
  const seen = chain.feed.seen.length
  expect(await post(attack(material))).toBe(202)
  await chain.idle()
  expect(await chain.git('rev-parse', 'main')).toBe(before)
  const after = chain.feed.seen.slice(seen + 1).filter(({ type }) => !isTick(type))
  return { known: chain.feed.seen.slice(0, seen), after }
}

/** The same of what is not even answered. */
const unansweredBy = async (attack: Attack[1]) =>
  expect((await unmovedBy(attack)).after.map(({ type }) => type)).toEqual([])

describe('a chain', () => {
  it('has forty attacks or more to withstand', () => {
    expect(forged.length + others.length + 1).toBeGreaterThanOrEqual(40)
    expect(moving.every((fact) => eventTypes().some(({ type }) => type === `dev.drover.provision.${fact}`))).toBe(true)
  })

  it.each(forged)('in flight is not moved by %s, which is refused as forged', async (_, attack) => {
    expect(await growth('drover_deliveries_total', { status: 403 }, () => unansweredBy(attack))).toBe(1)
  })

  it('in flight is not moved by a dead letter of its own making, which is buried as nobody’s', async () => {
    expect(await growth('drover_dead_letters_total', { task: 'none' }, () => unansweredBy(deadLetter))).toBe(1)
  })

  it.each(others)('is not moved by %s', async (_, attack) => {
    const { known, after } = await unmovedBy(attack)
    // A request is answered, with a refusal. An event that was true is told again, by the very events that were.
    const isAnswer = ({ type, id }: Seen) =>
      /\.(validate\.failed|rolledback|notified)$/.test(type) || known.some((one) => one.id === id && one.type === type)
    expect(after.filter((one) => !isAnswer(one)).map(({ type }) => type)).toEqual([])
  })

  it('in flight was so all the time: the event that it waits for moves it', async () => {
    for (const events of [material.one, material.other]) {
      const event = of(events, 'create.verified')
      expect(await post(event)).toBe(202)
      const ended = await chain.feed.first(({ run, type }) => run === event['runid'] && type.endsWith('.completed'))
      expect(ended.data.message).toContain('is ready on')
    }
  })
})
