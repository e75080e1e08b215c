import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { type Accepted, type BrokerOptions, type RunningBroker, startBroker } from '../../../local/broker/broker.ts'

interface Delivery {
  path: string
  headers: IncomingHttpHeaders
}
interface Reply {
  status?: number
  headers?: Record<string, string>
  body?: string
}

const apiVersion = 'eventing.knative.dev/v1'
const deliveries: Delivery[] = []
let subscribers: Server
let broker: RunningBroker

/** Serves one Broker with one Trigger per path; `answer` plays the subscribers and the dead letter sink, /dead. */
async function serve(
  paths: Record<string, object>,
  answer: (delivery: Delivery) => Reply | Promise<Reply>,
  { annotations = {}, ...more }: Partial<BrokerOptions> & { annotations?: object } = {},
): Promise<string> {
  subscribers = createServer(async (request, response) => {
    const delivery = { path: request.url ?? '', headers: request.headers }
    deliveries.push(delivery)
    const { status = 204, headers = {}, body } = await answer(delivery)
    response.writeHead(status, headers).end(body)
  })
  await new Promise<void>((resolve) => subscribers.listen(0, '127.0.0.1', resolve))
  const base = `http://127.0.0.1:${(subscribers.address() as AddressInfo).port}`
  const delivery = { retry: 2, deadLetterSink: { uri: `${base}/dead` } }
  const triggers = Object.entries(paths).map(([path, filter]) => ({
    apiVersion,
    kind: 'Trigger',
    metadata: { name: path, namespace: 'ns' },
    spec: { broker: 'main', subscriber: { uri: `${base}/${path}` }, filter: { attributes: filter } },
  }))
  const main = {
    apiVersion,
    kind: 'Broker',
    metadata: { name: 'main', namespace: 'ns', annotations },
    spec: { delivery },
  }
  broker = await startBroker({ manifests: [main, ...triggers], ...more })
  return broker.url('ns', 'main')
}

const headers = { 'ce-specversion': '1.0', 'ce-id': 'i', 'ce-source': '/test', 'ce-type': 'asked' }
const post = (url: string, more = {}) => fetch(url, { method: 'POST', headers: { ...headers, ...more }, body: '' })
const reply = (type: string) => ({ ...headers, 'ce-id': `after-${type}`, 'ce-type': type })
const came = () => deliveries.map(({ path, headers: got }) => `${path} ${got['ce-type']}`)

afterEach(async () => {
  await broker.close()
  subscribers.closeAllConnections()
  await new Promise((resolve) => subscribers.close(resolve))
  deliveries.length = 0
})

it('a Broker answers when the whole chain of replies has ended', async () => {
  const url = await serve({ first: { type: 'asked' }, second: { type: 'answered' } }, ({ path }) =>
    path === '/first' ? { status: 200, headers: reply('answered') } : {},
  )
  expect((await post(url)).status).toBe(202)
  expect(came()).toEqual(['/first asked', '/second answered'])
})

it('a Broker with an asynchronous handler answers at once, and idle waits for the chain', async () => {
  const gate = Promise.withResolvers<void>()
  const seen: Accepted[] = []
  const url = await serve(
    { first: { type: 'asked' }, second: { type: 'answered' } },
    async ({ path }) => {
      await gate.promise
      return path === '/first' ? { status: 200, headers: reply('answered') } : {}
    },
    { annotations: { 'messaging.knative.dev/async-handler': 'true' }, observe: (accepted) => seen.push(accepted) },
  )
  expect((await post(url)).status).toBe(202)
  gate.resolve()
  await broker.idle()
  expect(came()).toEqual(['/first asked', '/second answered'])
  expect(seen.map(({ namespace, broker: name, event }) => [namespace, name, event.attributes.type])).toEqual([
    ['ns', 'main', 'asked'],
    ['ns', 'main', 'answered'],
  ])
})

it('a Broker delivers again what a subscriber answered with 503, the very same', async () => {
  let attempts = 0
  const url = await serve({ first: {} }, () => ({ status: ++attempts < 3 ? 503 : 204 }))
  expect((await post(url)).status).toBe(202)
  expect(deliveries).toHaveLength(3)
  expect(new Set(deliveries.map(({ headers: got }) => JSON.stringify(got))).size).toBe(1)
})

it('a Broker sends to the dead letter sink what was refused, with the reason', async () => {
  const sentences: string[] = []
  const url = await serve(
    { first: {} },
    ({ path }) => (path === '/first' ? { status: 400, body: 'no such disk' } : {}),
    {
      warn: (sentence) => sentences.push(sentence),
    },
  )
  expect((await post(url)).status).toBe(202)
  expect(came()).toEqual(['/first asked', '/dead asked'])
  const dead: IncomingHttpHeaders = deliveries[1]?.headers ?? {}
  expect(dead['ce-knativeerrorcode']).toBe('400')
  expect(dead['ce-knativeerrordest']).toMatch(/\/first$/)
  expect(Buffer.from(String(dead['ce-knativeerrordata']), 'base64').toString()).toBe('no such disk')
  expect(sentences).toEqual([
    expect.stringMatching(
      /^Cannot deliver event "i" of type asked by Trigger "first": 400 from http:.*\/first: no such disk$/,
    ),
  ])
})

it('a Broker ends a loop of replies by their time to live', async () => {
  const url = await serve({ first: { type: 'asked' } }, ({ path }) =>
    path === '/first' ? { status: 200, headers: reply('asked') } : {},
  )
  expect((await post(url, { 'ce-knativebrokerttl': '4' })).status).toBe(202)
  expect(came()).toEqual(['/first asked', '/first asked', '/first asked', '/dead asked'])
})

it('a Broker that closes breaks off its deliveries', async () => {
  const arrived = Promise.withResolvers<void>()
  const url = await serve({ first: {} }, () => {
    arrived.resolve()
    return new Promise<Reply>(() => undefined)
  })
  const answer = post(url).then(
    ({ status }) => status,
    () => 'broken off',
  )
  await arrived.promise
  await broker.close()
  await broker.idle()
  expect([500, 'broken off']).toContain(await answer)
})

it('startBroker says that its port is taken', async () => {
  await serve({}, () => ({}))
  const port = Number(new URL(broker.base).port)
  await expect(startBroker({ manifests: [], port })).rejects.toThrow(
    new RegExp(`^Cannot listen at port ${port}: listen EADDRINUSE`),
  )
})
