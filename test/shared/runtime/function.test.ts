import { request, type Server } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newSigningKey, readConfig } from '../../../shared/config.ts'
import { DroverError } from '../../../shared/errors.ts'
import { writeEvent } from '../../../shared/event.ts'
import { type RuntimeFunction, toFunction } from '../../../shared/runtime/function.ts'
import { startRuntime } from '../../../shared/runtime/start.ts'
import { notYet, type Step, succeeded } from '../../../shared/step.ts'
import { freePort } from '../../free-port.ts'
import { requestEvent } from '../events.ts'

let step: Step = async () => succeeded('done')
let port = 0
let server: Server
let module: RuntimeFunction
const closed: string[] = []

beforeAll(async () => {
  const config = readConfig({
    DROVER_GIT_URL: 'https://git.example.com/fleet.git',
    DROVER_SIGNING_KEYS: newSigningKey(),
    DROVER_LOG_LEVEL: 'silent',
  })
  const wire = () => ({
    step: ((run, here) => step(run, here)) as Step,
    post: undefined,
    close: async () => void closed.push('closed'),
  })
  module = toFunction('validate', wire, config)
  port = await freePort()
  server = await startRuntime(module, port)
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

const { headers: ce, body: data } = writeEvent(requestEvent())
const post = async (headers: Record<string, string>, body: string | Uint8Array = data, path = '/') => {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', headers, body: body as string })
  return { status: answer.status, type: answer.headers.get('ce-type'), text: await answer.text() }
}
const failed = 'dev.drover.provision.validate.failed'
const messageIn = (text: string) => JSON.parse(text).data?.message ?? JSON.parse(text).message

describe('a function on the runtime', () => {
  it('answers an event in binary form with one', async () => {
    const answer = await post(ce)
    expect(answer).toMatchObject({ status: 200, type: 'dev.drover.provision.validated' })
    expect(JSON.parse(answer.text)).toMatchObject({ message: 'done', request: { template: 'linux-small' } })
  })

  it('answers an event in structured form', async () => {
    const { extensions, ...rest } = requestEvent()
    const body = JSON.stringify({ specversion: '1.0', ...rest, ...extensions })
    expect(await post({ 'content-type': 'application/cloudevents+json; charset=utf-8' }, body)).toMatchObject({
      status: 200,
      type: 'dev.drover.provision.validated',
    })
  })

  it('answers what `func invoke` sends: binary, no subject, an id of its own', async () => {
    const headers = {
      'ce-specversion': '1.0',
      'ce-id': 'b0b5a6f6-1',
      'ce-source': '/boson/fn',
      'ce-type': 'dev.drover.provision.requested',
      'content-type': 'application/json',
    }
    expect(await post(headers)).toMatchObject({ status: 200, type: 'dev.drover.provision.validated' })
  })

  it.each(['readiness', 'liveness'])('answers %s', async (path) => {
    const status = async () => (await fetch(`http://127.0.0.1:${port}/health/${path}`)).status
    // The runtime answers 503 while the whole machine is too busy.
    await expect.poll(status, { timeout: 10_000 }).toBe(200)
  })

  it.each<[string, Record<string, string>, string, string]>([
    [
      'a form',
      { ...ce, 'content-type': 'application/x-www-form-urlencoded' },
      'a=1&b=2',
      'the data is application/x-www',
    ],
    ['broken JSON', ce, '{"a":', 'the data is not JSON'],
    ['nothing', ce, '', 'the event has no data'],
    [
      '2 MB',
      ce,
      JSON.stringify({ x: 'x'.repeat(2_000_000) }),
      'Cannot read the request: the event is 2000008 bytes long, wanted at most 131072',
    ],
  ])('refuses %s by an event', async (_, headers, body, sentence) => {
    const answer = await post(headers, body)
    expect(answer).toMatchObject({ status: 200, type: failed })
    expect(messageIn(answer.text)).toContain(sentence)
  })

  it.each<[string, Record<string, string>, string, string]>([
    ['no event', { 'content-type': 'application/json' }, '{}', 'Cannot read the event: it is no CloudEvent'],
    ['an event without a type', { ...ce, 'ce-type': '' }, data, 'it lacks id, source or type'],
    ['an event without an id', { ...ce, 'ce-id': '' }, data, 'it lacks id, source or type'],
    ['an odd extension', { ...ce, 'ce-my_ext': 'x' }, data, 'the name of an extension'],
    ['specversion 0.3', { ...ce, 'ce-specversion': '0.3' }, data, 'its specversion is not supported'],
    ['a batch', { 'content-type': 'application/cloudevents-batch+json' }, '[]', 'it is a batch'],
    ['a broken structured event', { 'content-type': 'application/cloudevents+json' }, '{', 'it is not JSON'],
    [
      'a prototype',
      { 'content-type': 'application/cloudevents+json' },
      '{"__proto__":{"x":1}}',
      'an attribute is not text',
    ],
  ])('answers 400 to %s', async (_, headers, body, sentence) => {
    const answer = await post(headers, body)
    expect(answer.status).toBe(400)
    expect(answer.text).toContain(sentence)
  })

  it('cannot be told its content type twice', async () => {
    expect(await post({ ...ce, 'x-drover-content-type': 'text/plain', 'x-drover-ce-id': 'other' })).toMatchObject({
      status: 200,
      type: 'dev.drover.provision.validated',
    })
  })

  it.each(['POST', 'GET'])('takes no query with %s', async (method) => {
    const answer = await fetch(`http://127.0.0.1:${port}/?method=POST&cloudevent=evil`, { method })
    expect([answer.status, await answer.text()]).toEqual([
      400,
      'Cannot take the event: its address has a query, wanted none',
    ])
  })

  it('answers 405 to a GET', async () => {
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(405)
  })

  it('answers 413 to 9 MB, announced or not', async () => {
    const body = Buffer.alloc(9 * 1024 * 1024, 'x')
    expect((await post(ce, body)).status).toBe(413)
    expect(await chunked(body)).toBe(413)
  })

  it.each([
    ['OPTIONS', '/'],
    ['PUT', '/'],
    ['PATCH', '/elsewhere'],
    ['DELETE', '/'],
    ['TRACE', '/'],
    ['PROPFIND', '/'],
    ['OPTIONS', '/dead'],
    ['OPTIONS', '/metrics'],
  ])('answers 405 to %s %s before its body, which may be a form without end, is read', async (method, path) => {
    expect(await endless(method, path)).toEqual({ status: 405, allow: 'GET, HEAD, POST', connection: 'close' })
  })

  it('answers 413 to a POST of a form without end', async () => {
    expect(await endless('POST', '/')).toMatchObject({ status: 413 })
    expect(await endless('POST', '/elsewhere')).toMatchObject({ status: 413 })
  })

  it('answers a probe by HEAD, and by GET with a body, which it does not read', async () => {
    const head = await fetch(`http://127.0.0.1:${port}/health/liveness`, { method: 'HEAD' })
    expect(head.status).toBe(200)
    expect(await endless('GET', '/health/liveness')).toMatchObject({ status: 200 })
  })

  it('answers 500 without the words of the cause', async () => {
    step = async () => {
      throw new Error('token=hunter2')
    }
    expect(await post(ce)).toEqual({
      status: 500,
      type: null,
      text: 'Cannot go on: something this step needs has failed, the log has the cause',
    })
  })

  it('keeps error bodies below what a Knative dispatcher can take', async () => {
    step = async () => {
      throw new DroverError('busy', 'ü😀'.repeat(1000))
    }
    const answer = await post(ce)
    expect(answer.status).toBe(503)
    expect(Buffer.byteLength(answer.text)).toBeLessThanOrEqual(500)
  })

  it('is alive and ready however much it has to do', async () => {
    for (const probe of ['liveness', 'readiness']) {
      const answer = await fetch(`http://127.0.0.1:${port}/health/${probe}`)
      expect([answer.status, await answer.text()]).toEqual([200, 'OK'])
    }
  })

  it('answers what it is working on before it shuts down, and takes no more', async () => {
    const begun = Promise.withResolvers<void>()
    const ends = Promise.withResolvers<void>()
    step = async (_, here) => {
      begun.resolve()
      await ends.promise
      // Who waits for a cluster need not be waited for.
      return here.patience.aborted ? succeeded('late but whole') : notYet('still waiting')
    }
    const working = post(ce)
    await begun.promise
    const shutdown = module.shutdown()
    expect(await post(ce)).toMatchObject({ status: 503 })
    expect((await fetch(`http://127.0.0.1:${port}/health/readiness`)).status).toBe(503)
    expect((await fetch(`http://127.0.0.1:${port}/health/liveness`)).status).toBe(200)
    expect(closed).toEqual([])
    ends.resolve()
    expect(messageIn((await working).text)).toBe('late but whole')
    await shutdown
    expect(closed).toEqual(['closed'])
  })
})

/** The answer to a request with a form that goes on for as long as there is none, 16 MiB at most: by then it is read. */
function endless(method: string, path: string) {
  return new Promise<{ status?: number; allow?: string; connection?: string }>((done) => {
    const headers = { ...ce, 'content-type': 'application/x-www-form-urlencoded', 'transfer-encoding': 'chunked' }
    const outgoing = request({ port, method, path, headers, agent: false }, (response) => {
      const { statusCode, headers } = response
      done({
        ...(statusCode === undefined ? {} : { status: statusCode }),
        ...(headers.allow === undefined ? {} : { allow: headers.allow }),
        ...(headers.connection === undefined ? {} : { connection: headers.connection }),
      })
      outgoing.destroy()
    })
    outgoing.on('error', () => undefined)
    let chunks = 0
    const more = () => {
      if (outgoing.destroyed || ++chunks > 256) return
      outgoing.write(Buffer.alloc(64 * 1024, 'a=1&'), () => setImmediate(more))
    }
    more()
  })
}

/** The status of a POST that does not say how long it is. */
function chunked(body: Buffer): Promise<number | undefined> {
  return new Promise((done) => {
    const outgoing = request({ port, method: 'POST', headers: ce }, (response) => {
      response.resume()
      done(response.statusCode)
    })
    // The other side may close once it has answered.
    outgoing.on('error', () => undefined)
    outgoing.write(body.subarray(0, 1000))
    outgoing.end(body.subarray(1000))
  })
}
