import { request, type Server } from 'node:http'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { validate } from '../../../functions/validate/validate.ts'
import { readConfig } from '../../../shared/config.ts'
import { DroverError } from '../../../shared/errors.ts'
import { readEvent } from '../../../shared/event.ts'
import { toCustomized } from '../../../shared/images/customized.ts'
import { toPushed } from '../../../shared/images/pushed.ts'
import { type RuntimeFunction, serve } from '../../../shared/runtime/function.ts'
import { startRuntime } from '../../../shared/runtime/start.ts'
import { succeeded } from '../../../shared/step.ts'
import { starterFiles } from '../../examples/starter.ts'
import { memoryFleet } from '../../fleet.ts'
import { freePort } from '../../free-port.ts'
import { chainEvent, keys, requestEvent } from '../../shared/events.ts'
import { each, eachInTurn, isSentence, seed, swiftly } from '../fuzz.ts'
import { hostile, mutated } from '../mutations.ts'

/** Events that were changed at random, at the door of a function: each is taken or refused, and none is an error of ours. */

const mutations = 10_000
let worked: string[] = []
const config = {
  ...readConfig({
    DROVER_GIT_URL: 'https://git.example.com/fleet.git',
    DROVER_SIGNING_KEYS: 'k1:never-used-in-these-tests',
    DROVER_LOG_LEVEL: 'silent',
  }),
  signingKeys: () => keys,
}
const fleet = memoryFleet(starterFiles())
const module: RuntimeFunction = serve(
  undefined,
  async (name) => () => ({
    step: async (run) => {
      worked.push(run.task)
      return name === 'validate' ? validate(run, fleet) : succeeded('done')
    },
    post: async () => undefined,
  }),
  config,
)

let server: Server
let port = 0
beforeAll(async () => {
  port = await freePort()
  server = await startRuntime(module, port)
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

interface Envelope {
  headers: Record<string, string>
  body: string
}
const structured = 'application/cloudevents+json'
const flat = ({ extensions, ...event }: ReturnType<typeof requestEvent>) => ({
  specversion: '1.0',
  datacontenttype: 'application/json',
  ...event,
  ...extensions,
})
const events = [flat(requestEvent()), flat(chainEvent('validate')), flat(chainEvent('create.build'))]

/** In structured form: any value in the place of any other. */
const inStructure: fc.Arbitrary<Envelope> = mutated(events).map((event) => ({
  headers: { 'content-type': structured },
  body: JSON.stringify(event) ?? '',
}))

const headerValue = fc.oneof(fc.constantFrom(...hostile), fc.string({ maxLength: 60 }))
const headerName = fc.constantFrom(
  'ce-id',
  'ce-type',
  'ce-source',
  'ce-specversion',
  'ce-runid',
  'ce-hops',
  'ce-signature',
  'ce-__proto__',
  'ce-constructor',
  'ce-time',
  'ce-subject',
  'ce-knativeerrorcode',
  'ce-knativeerrordata',
  'content-type',
  'prefer',
)
/** In binary form: headers that are other, more and fewer, and a body that is cut or spliced. */
const inHeaders: fc.Arbitrary<Envelope> = fc
  .tuple(
    fc.constantFrom(...events),
    fc.array(fc.tuple(headerName, headerValue), { minLength: 1, maxLength: 4 }),
    fc.nat(),
    headerValue,
    fc.boolean(),
  )
  .map(([{ data, datacontenttype, ...attributes }, changes, at, text, isWhole]) => {
    const headers = Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`ce-${name}`, String(value)]))
    const body = JSON.stringify(data)
    const cut = at % (body.length + 1)
    return {
      headers: { ...headers, 'content-type': datacontenttype, ...Object.fromEntries(changes) },
      body: isWhole ? body : body.slice(0, cut) + text + body.slice(cut + text.length),
    }
  })
const envelopes = fc.oneof(inStructure, inHeaders)

describe(`${mutations} mutations (FUZZ_SEED=${seed})`, () => {
  it('of an event are each read, or refused in a sentence', () => {
    each(envelopes, mutations, ({ headers, body }) => {
      try {
        const event = swiftly(() => readEvent(headers, body))
        expect(event.id !== '' && event.source !== '' && event.type !== '').toBe(true)
        if (event.dataProblem !== undefined) expect(isSentence(event.dataProblem), event.dataProblem).toBe(true)
      } catch (error) {
        if (!(error instanceof DroverError)) throw error
        expect([error.reason, isSentence(error.message)]).toEqual(['unreadable', true])
      }
    })
  })

  it('of an event are no error of a function', async () => {
    await eachInTurn(envelopes, mutations, async ({ headers, body }) => {
      const { statusCode } = await module.handle({ headers, body: Buffer.from(body), method: 'POST' })
      expect(statusCode).toBeOneOf([200, 204, 400, 403])
    })
  })

  it('of the facts and the rest of a signed event wake no work', async () => {
    const signed = [chainEvent('validate'), chainEvent('create.build'), chainEvent('check')]
    const datas = mutated(signed.map(({ data }) => data))
    await eachInTurn(fc.tuple(fc.nat({ max: 2 }), datas), mutations, async ([index, data]) => {
      const event = signed[index]!
      if (JSON.stringify(data) === JSON.stringify(event.data)) return
      if (signed.some((one) => JSON.stringify(one.data) === JSON.stringify(data))) return
      worked = []
      const body = JSON.stringify(flat({ ...event, data }))
      const { statusCode } = await module.handle({
        headers: { 'content-type': structured, prefer: 'reply' },
        body: Buffer.from(body),
        method: 'POST',
      })
      expect([worked, [400, 403].includes(statusCode)]).toEqual([[], true])
    })
  })

  it('of what a pod ends with are each a result or a reason', () => {
    const messages = [
      { before: 3, changes: 1, changed: ['curl 8.1 -> 8.2'], truncated: false },
      { reason: 'no space' },
      { digest: `sha256:${'0'.repeat(64)}`, size: 10 },
    ]
    each(
      fc.oneof(
        mutated(messages).map((one) => JSON.stringify(one) ?? ''),
        headerValue,
      ),
      mutations,
      (text) => {
        expect(swiftly(() => toCustomized(text))).toHaveProperty('done')
        const pushed = swiftly(() => toPushed(text))
        if (!pushed.done) expect(pushed.reason.length).toBeLessThanOrEqual(1_024)
      },
    )
  })
})

describe(`a sample over HTTP (FUZZ_SEED=${seed})`, () => {
  it('of 1,000 changed events gets no 5xx, and no broken connection', async () => {
    const asText = (value: string) => value.replace(/[^\t\x20-\x7e]/g, '')
    await eachInTurn(envelopes, 1_000, async ({ headers, body }) => {
      const named = Object.entries(headers).map(([name, value]) => [name, asText(value).slice(0, 500)] as const)
      expect(await post(Object.fromEntries(named), body)).toBeOneOf([200, 204, 400, 403, 413])
    })
  })

  it('of 300 random bytes for a body gets none either', async () => {
    const bodies = fc.uint8Array({ maxLength: 3_000 })
    await eachInTurn(bodies, 300, async (bytes) => {
      for (const type of [
        'application/json',
        structured,
        'application/x-www-form-urlencoded',
        'multipart/form-data; boundary=x',
      ])
        expect(await post({ ...binary, 'content-type': type }, Buffer.from(bytes))).toBeOneOf([200, 400])
    })
  })

  it.each([
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/json\ta',
    'text/plain',
  ])('of 9 MB of %s is refused before it is read', async (type) => {
    expect(await post({ ...binary, 'content-type': type }, Buffer.alloc(9 << 20, 'a=1&'))).toBe(413)
  })
})

const binary = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/x', 'ce-type': 'dev.drover.provision.requested' }

const post = (headers: Record<string, string>, body: string | Buffer) =>
  new Promise<number>((done, failed) => {
    const outgoing = request({ port, method: 'POST', headers }, (response) => {
      response.resume()
      done(response.statusCode ?? 0)
    })
    // Who is refused for his length may find the connection closed behind the answer.
    outgoing.on('error', failed)
    outgoing.end(body)
  })
