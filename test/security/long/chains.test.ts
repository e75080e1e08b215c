import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Seen } from '../../../local/feed.ts'
import { eventTypes } from '../../../shared/event-types.ts'
import { type Chain, small, startChain } from '../../chain/harness.ts'

/** Forty ways to make a chain go on that did not ask for it, posted to the Broker as anybody who reaches it could. */

type Json = Record<string, unknown>
interface Material {
  /** Two runs that have ended, of two machines, and one that was undone. */
  one: Json[]
  other: Json[]
  undone: Json[]
}

let chain: Chain
let material: Material
beforeAll(async () => {
  chain = await startChain()
  const ofRun = async (change: object) => {
    const run = await chain.request(small(change))
    await run.ended
    return run.events().map(({ json }: Seen) => JSON.parse(json) as Json)
  }
  material = {
    one: await ofRun({}),
    other: await ofRun({}),
    undone: await ofRun({ placement: { cluster: 'nowhere' } }),
  }
  await chain.idle()
}, 120_000)
afterAll(() => chain.close())

const of = (events: readonly Json[], fact: string): Json => {
  const found = events.find(({ type }) => String(type).endsWith(`.${fact}`))
  if (!found) throw new Error(`there was no event "${fact}"`)
  return structuredClone(found)
}
const without = ({ signature: _, ...event }: Json): Json => event
const renamed = (event: Json): Json => ({ ...event, id: `${event['id']}-again` })
const dataOf = (event: Json) => event['data'] as Json
const withData = (event: Json, change: Json): Json => ({ ...event, data: { ...dataOf(event), ...change } })
const far = '2099-01-01T00:00:00.000Z'

/** Facts whose event makes somebody commit, allocate or register. */
const moving = ['validated', 'named', 'allocated', 'placed', 'customized', 'create.built', 'create.verified']

type Attack = [what: string, event: (material: Material) => Json]
const attacks: Attack[] = [
  ...moving.map((fact): Attack => [`${fact} without a signature`, ({ one }) => without(of(one, fact))]),
  ...moving.map(
    (fact): Attack => [
      `${fact} of one run under another one's id`,
      ({ one, other }) => ({ ...of(one, fact), runid: of(other, fact)['runid'] }),
    ],
  ),
  ...moving.map(
    (fact): Attack => [
      `${fact} with the data of another run`,
      ({ one, other }) => ({ ...of(one, fact), data: dataOf(of(other, fact)) }),
    ],
  ),
  ...moving.map((fact): Attack => [`${fact} of a run that has ended, again`, ({ one }) => of(one, fact)]),
  ['an event of an ended run under another id', ({ one }) => renamed(of(one, 'create.built'))],
  ['an event with more time', ({ one }) => withData(of(one, 'create.built'), { deadline: far })],
  [
    'an event with other files',
    ({ one }) =>
      withData(of(one, 'create.built'), { changes: [{ path: 'policy/x.yaml', content: 'x', expect: null }] }),
  ],
  [
    'an event with other facts',
    ({ one }) => withData(of(one, 'placed'), { facts: { cluster: 'site-b', name: 'mine' } }),
  ],
  ['an event for somebody else', ({ one }) => withData(of(one, 'validated'), { requester: 'root@example.com' })],
  [
    'a signature of another event',
    ({ one }) => ({ ...of(one, 'create.built'), signature: of(one, 'placed')['signature'] }),
  ],
  [
    'a signature in capitals',
    ({ one }) => ({ ...of(one, 'placed'), signature: String(of(one, 'placed')['signature']).toUpperCase() }),
  ],
  [
    'a signature by no key',
    ({ one }) => ({ ...of(one, 'placed'), signature: `.${String(of(one, 'placed')['signature']).split('.')[1]}` }),
  ],
  [
    'a failure of a run that has ended, to have it undone',
    ({ one, undone }) => ({ ...of(undone, 'place.failed'), runid: of(one, 'placed')['runid'] }),
  ],
  [
    'a failure of its own making',
    ({ one }) => ({ ...without(of(one, 'placed')), type: 'dev.drover.provision.check.failed' }),
  ],
  [
    'a dead letter of its own making',
    ({ one }) => ({ ...without(of(one, 'create.built')), knativeerrordest: 'http://x', knativeerrorcode: '500' }),
  ],
  ['the failure of a run that was undone, again', ({ undone }) => of(undone, 'place.failed')],
  [
    'the type of another lifecycle',
    ({ one }) => ({ ...of(one, 'create.built'), type: 'dev.drover.repave.swap.built' }),
  ],
  [
    'a request under the run of another',
    ({ one }) => ({ ...of(one, 'requested'), id: 'mine', runid: of(one, 'placed')['runid'] }),
  ],
]

describe('a chain', () => {
  it('has forty attacks or more to withstand', () => {
    expect(attacks.length).toBeGreaterThanOrEqual(40)
    expect(moving.every((fact) => eventTypes().some(({ type }) => type === `dev.drover.provision.${fact}`))).toBe(true)
  })

  it.each(attacks)('is not moved by %s', async (_, attack) => {
    const event = attack(material)
    const before = await chain.git('rev-parse', 'main')
    const seen = chain.feed.seen.length
    expect(await chain.post({ 'content-type': 'application/cloudevents+json' }, JSON.stringify(event))).toBe(202)
    await chain.idle()
    expect(await chain.git('rev-parse', 'main')).toBe(before)
    const [known, after] = [chain.feed.seen.slice(0, seen), chain.feed.seen.slice(seen + 1)]
    // A request is answered, with a refusal. An event that was true is told again, by the very events that were.
    const isAnswer = ({ type, id }: Seen) =>
      /\.(validate\.failed|rolledback|notified)$/.test(type) || known.some((one) => one.id === id && one.type === type)
    expect(after.filter((one) => !isAnswer(one)).map(({ type }) => type)).toEqual([])
  })
})
