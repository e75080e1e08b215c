import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Chain, factsOf, small, startChain } from './harness.ts'

interface Call {
  headers: IncomingHttpHeaders
  event: { id: string; type: string; data: Record<string, unknown> }
}

let chain: Chain
let calls: Call[]
let status = 200
const server = createServer(async (request, response) => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  calls.push({ headers: request.headers, event: JSON.parse(Buffer.concat(chunks).toString()) })
  response.writeHead(status).end('what the other side says is not read')
})
let callback: { url: string }

beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  callback = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/told` }
  chain = await startChain()
})
beforeEach(() => {
  calls = []
  status = 200
})
afterAll(async () => {
  await chain.close()
  server.close()
})

describe('a callback', () => {
  it('is told of the machine when the run completes', async () => {
    const data = small({ callback })
    const run = await chain.request(data)
    await run.ended
    expect(calls.map(({ event }) => [event.id, event.type])).toEqual([
      [`${run.id}-completed`, 'dev.drover.provision.completed'],
    ])
    expect(calls[0]?.headers['content-type']).toBe('application/cloudevents+json')
    expect(calls[0]?.event.data).toMatchObject({
      vmName: data.name,
      namespace: 'shop',
      message: expect.stringContaining('is ready on'),
    })
  })

  it.each([
    ['is refused', { size: { cores: 2, memory: '8Ti' } }, /^Nothing was changed: .*size.memory/],
    ['was put back', { placement: { cluster: 'nowhere' } }, /^Everything was put back after: .*nowhere/],
  ])('is told why when the request %s', async (_, change, says) => {
    const run = await chain.request(small({ callback, ...change }))
    await run.ended
    expect(calls.map(({ event }) => event.type)).toEqual(['dev.drover.provision.rolledback'])
    expect(calls[0]?.event.data['message']).toMatch(says)
  })

  it('is not called when its own address is what is refused', async () => {
    const run = await chain.request(small({ callback: { url: 'http://127.0.0.2.nip.invalid/told' } }))
    await run.ended
    expect(factsOf(run)).toEqual(['requested', 'validate.failed', 'rolledback', 'notified'])
    expect(calls).toEqual([])
  })

  it('that refuses is called once, and the run stays as it ended', async () => {
    status = 410
    const run = await chain.request(small({ callback, placement: { cluster: 'nowhere' } }))
    await run.ended
    await chain.idle()
    expect(calls).toHaveLength(1)
    expect(factsOf(run).slice(-2)).toEqual(['rolledback', 'notify.failed'])
  })
})
