/** Ways to make a chain go on that did not ask for it, for anybody who has seen the events of others. */

export type Json = Record<string, unknown>

export interface Material {
  /** Two runs in flight, of two machines: what is said of a run that has ended would move nobody, whoever signed it. */
  one: Json[]
  other: Json[]
  /** One that has ended, and one that was undone. */
  over: Json[]
  undone: Json[]
}

export const of = (events: readonly Json[], fact: string): Json => {
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
export const moving = ['validated', 'named', 'allocated', 'placed', 'customized', 'create.built', 'create.verified']

export type Attack = [what: string, event: (material: Material) => Json]

/** What no function of Drover has said: whoever it is for refuses it. */
export const forged: Attack[] = [
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
  ['an event under another id', ({ one }) => renamed(of(one, 'create.built'))],
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
    'the failure of another run, to have this one undone',
    ({ one, undone }) => ({ ...of(undone, 'place.failed'), runid: of(one, 'placed')['runid'] }),
  ],
  [
    'a failure of its own making',
    ({ one }) => ({ ...without(of(one, 'placed')), type: 'dev.drover.provision.check.failed' }),
  ],
  [
    'the type of another lifecycle',
    ({ one }) => ({ ...of(one, 'create.built'), type: 'dev.drover.repave.swap.built' }),
  ],
]

export const deadLetter = ({ one }: Material) => ({
  ...without(of(one, 'create.built')),
  knativeerrordest: 'http://x',
  knativeerrorcode: '500',
})

/** What is true, but over; and a request, which anybody may post. */
export const others: Attack[] = [
  ...moving.map((fact): Attack => [`${fact} of a run that has ended, again`, ({ over }) => of(over, fact)]),
  ['the failure of a run that was undone, again', ({ undone }) => of(undone, 'place.failed')],
  [
    'a request under the run of another',
    ({ one }) => ({ ...of(one, 'requested'), id: 'mine', runid: of(one, 'placed')['runid'] }),
  ],
]
