import { describe, expect, it } from 'vitest'
import { readConfig } from '../../../shared/config.ts'
import { type Event, writeEvent } from '../../../shared/event.ts'
import { eventTypes } from '../../../shared/event-types.ts'
import { type FunctionName, functionNames, type Task } from '../../../shared/lifecycles.ts'
import { serve } from '../../../shared/runtime/function.ts'
import { sign } from '../../../shared/signature.ts'
import { succeeded } from '../../../shared/step.ts'
import { chainEvent, keys, requestEvent } from '../events.ts'

/** An event that its chain did not make is refused by every function, in both forms of HTTP, and nothing is done for it. */

const failure = { task: 'check', title: 'Check the machine', message: 'Cannot accept VM web-01' }
const cause = requestEvent({ extensions: { correlationid: 'order-1' } })

/** An event of the chain, for each function one that wakes it. */
function eventFor(name: FunctionName, of = cause): Event {
  const row = eventTypes().find(({ wakes, lifecycle, status }) => wakes === name && lifecycle && status !== 'request')
  const marks = { correlationid: 'order-1' }
  const { lifecycle = 'provision' } = row ?? {}
  if (!row) return chainEvent('validate', {}, { marks }, of)
  const { name: task } = row.task as Task
  const says = row.status === 'failure' ? ({ fact: `${task}.failed`, status: 'failure', failure } as const) : {}
  return chainEvent(task, says, { marks, lifecycle }, of)
}

const other = { id: 'k2', secret: 'a secret of somebody else' }
const resigned = (event: Event, by = other): Event => ({
  ...event,
  extensions: { ...event.extensions, signature: sign(event, [by]) },
})
const extended = (event: Event, extensions: Record<string, string>): Event => ({
  ...event,
  extensions: { ...event.extensions, ...extensions },
})
const without = (event: Event, attribute: string): Event => ({
  ...event,
  extensions: Object.fromEntries(Object.entries(event.extensions).filter(([name]) => name !== attribute)),
})
const another = (name: FunctionName) => eventFor(name, requestEvent({ ...cause, id: 'order-2' }))
const flipped = (text: string) => `${text.slice(0, -1)}${text.endsWith('0') ? '1' : '0'}`

const attacks: [string, (event: Event, name: FunctionName) => Event][] = [
  ['unsigned', (event) => without(event, 'signature')],
  ['signed by an unknown key', (event) => resigned(event)],
  ['signed by another key of the same name', (event) => resigned(event, { ...other, id: 'k1' })],
  ['signed with nothing after the name of the key', (event) => extended(event, { signature: 'k1.' })],
  ['with the signature of another run', (event, name) => extended(event, { signature: signatureOf(another(name)) })],
  ['with another id', (event) => ({ ...event, id: flipped(event.id) })],
  ['with another source', (event) => ({ ...event, source: `${event.source}x` })],
  ['with another type', (event) => ({ ...event, type: typeLike(event) })],
  ['with another subject', (event) => ({ ...event, subject: 'shop/web-02' })],
  ['without its subject', ({ subject: _, ...event }) => event],
  ['moved to another run', (event, name) => extended(event, { runid: another(name).extensions['runid'] ?? '' })],
  ['without its run', (event) => without(event, 'runid')],
  ['that is another run’s under this run’s id', (event, name) => ({ ...another(name), id: event.id })],
  ['with a word more in its data', (event) => ({ ...event, data: { ...(event.data as object), more: true } })],
  ['with one letter of its data changed', (event) => ({ ...event, data: changed(event.data) })],
  ['without data', (event) => ({ ...event, data: {} })],
  ['with other hops', (event) => extended(event, { hops: `1${event.extensions['hops']}` })],
  ['that is to be given up on', (event) => extended(event, { hops: '100' })],
  ['whose answer is to go to somebody else', (event) => extended(event, { correlationid: 'mine' })],
  ['whose answer is to go to nobody', (event) => without(event, 'correlationid')],
]

const signatureOf = (event: Event) => event.extensions['signature'] ?? ''
const changed = (data: unknown) => JSON.parse(JSON.stringify(data).replace('linux-small', 'linux-smalk'))

/** Another type that wakes the same function, as far as there is one. */
function typeLike({ type }: Event): string {
  const wakes = eventTypes().find((row) => row.type === type)?.wakes
  const like = eventTypes().find((row) => row.type !== type && row.wakes === wakes && row.status !== 'request')
  return like?.type ?? 'dev.drover.provision.named'
}

interface Delivered {
  status: number
  did: string[]
}

/** Delivers an event to a function as a Broker does; `dead`: as the dead letter that it gave up on. */
async function deliver(name: FunctionName | undefined, event: Event, form: Form, dead = false): Promise<Delivered> {
  const did: string[] = []
  const wire = () => ({
    step: async () => {
      did.push('worked')
      return succeeded('done')
    },
    post: async ({ type }: Event) => void did.push(`posted ${type}`),
    async strand() {
      did.push('stranded')
      return undefined
    },
  })
  const config = { ...configured, signingKeys: () => keys }
  const module = serve(name, async () => wire, config)
  module.init()
  const { headers, body } = form === 'binary' ? writeEvent(event) : structured(event)
  const { statusCode } = await module.handle({
    headers: { ...headers, ...(dead ? {} : { prefer: 'reply' }) },
    body: Buffer.from(body),
    method: 'POST',
  })
  return { status: statusCode, did }
}

type Form = 'binary' | 'structured'
const forms = ['binary', 'structured'] as const

const structured = ({ extensions, ...event }: Event) => ({
  headers: { 'content-type': 'application/cloudevents+json' },
  body: JSON.stringify({ specversion: '1.0', datacontenttype: 'application/json', ...event, ...extensions }),
})

const configured = readConfig({
  DROVER_GIT_URL: 'https://git.example.com/fleet.git',
  DROVER_SIGNING_KEYS: 'k1:never-used-in-these-tests',
  DROVER_LOG_LEVEL: 'silent',
})
const refuses = { status: expect.toBeOneOf([400, 403]), did: [] }
const rows = functionNames.flatMap((name) => forms.map((form) => [name, form] as const))

describe.each(rows)('%s, in %s form,', (name, form) => {
  it.each(attacks)('refuses an event %s', async (_, attack) => {
    expect(await deliver(name, attack(eventFor(name), name), form)).toEqual(refuses)
  })

  it('refuses progress, whoever signed it', async () => {
    const progress = chainEvent('check', { fact: 'check.progressing', status: 'progress' })
    // For recover, what is no failure is a dead letter, and buried.
    expect(await deliver(name, progress, form)).toEqual({ status: name === 'recover' ? 204 : 400, did: [] })
  })

  it('takes the event as the chain made it, or it would have proved nothing', async () => {
    const event = name === 'validate' ? cause : eventFor(name)
    expect(await deliver(name, event, form)).toEqual({ status: 200, did: ['worked'] })
  })
})

describe('a request', () => {
  it.each(forms)(
    'under the run id of another is refused with an event, and nothing is done for it (%s)',
    async (form) => {
      const event = extended(cause, { runid: another('commit').extensions['runid'] ?? '' })
      expect(await deliver('validate', event, form)).toEqual({ status: 200, did: [] })
    },
  )
})

describe('a dead letter', () => {
  const names = functionNames.filter((name) => name !== 'validate')
  const error = { knativeerrordest: 'http://x.drover', knativeerrorcode: '500' }

  it.each(names.flatMap((name) => attacks.map(([what, attack]) => [name, what, attack] as const)))(
    'for %s that is an event %s is buried: nobody’s run fails of it',
    async (name, _, attack) => {
      const event = extended(attack(eventFor(name), name), error)
      for (const form of forms)
        expect(await deliver('recover', event, form, true)).toEqual({ status: expect.toBeOneOf([204, 400]), did: [] })
    },
  )

  it('of the chain makes its run fail, or it would have proved nothing', async () => {
    expect(await deliver('recover', extended(eventFor('commit'), error), 'binary', true)).toEqual({
      status: 204,
      did: [expect.stringMatching(/^posted dev\.drover\.[a-z-]+\..*\.failed$/)],
    })
  })
})
