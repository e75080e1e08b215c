import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { Agent, createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startBroker } from '../../../local/broker/broker.ts'
import { readManifests } from '../../../local/broker/load.ts'
import { environment, newSigningKey } from '../../../shared/config.ts'
import { freePort } from '../../free-port.ts'

/** A function that is told to end while it has two hundred requests in flight. */

const flights = 200
const program = new URL('../slow-function.ts', import.meta.url).pathname

async function start(port: number, answer = 4_000): Promise<ChildProcess> {
  const child = spawn(process.execPath, [program, `${answer}`], {
    env: {
      PATH: environment()['PATH'],
      PORT: `${port}`,
      DROVER_GIT_URL: 'https://git.example.com/fleet.git',
      DROVER_SIGNING_KEYS: newSigningKey(),
      DROVER_LOG_LEVEL: 'silent',
    },
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; await sleep(30))
    if ((await fetch(`http://127.0.0.1:${port}/health/readiness`).catch(() => undefined))?.ok) return child
  throw new Error('the function was not ready within 30 s')
}

const headers = (id: string) => ({
  'ce-specversion': '1.0',
  'ce-id': id,
  'ce-source': '/tests',
  'ce-type': 'dev.drover.provision.requested',
  'content-type': 'application/json',
})
const body = '{"template":"linux-small"}'

/** The status of one answer that came as a whole, or what became of it else. */
const post = (port: number, agent: Agent, id: string) =>
  new Promise<string>((done) => {
    const outgoing = request({ port, agent, method: 'POST', headers: headers(id) }, (response) => {
      response.resume()
      response.on('end', () => done(response.complete ? String(response.statusCode) : 'cut'))
      response.on('error', () => done('cut'))
    })
    outgoing.on('error', ({ message }) => done(message))
    outgoing.end(body)
  })

describe(`SIGTERM with ${flights} requests in flight`, () => {
  it.each([
    ['before the first is done', 300, 4_000],
    ['while the first leave', 1_000, 4_000],
    ['with long answers on their way out', 950, 300_000],
  ])('%s drops none: each that was begun gets its answer', async (_, after, answer) => {
    const port = await freePort()
    const child = await start(port, answer)
    let begun = 0
    child.on('message', () => {
      begun += 1
    })
    const agent = new Agent({ keepAlive: true })
    onTestFinished(() => agent.destroy())
    const asked = Array.from({ length: flights }, (_, index) => post(port, agent, `${after}-${index}`))
    // A busy machine takes longer to take them in.
    await Promise.all([sleep(after), expect.poll(() => begun, { timeout: 30_000 }).toBe(flights)])
    child.kill('SIGTERM')
    const [code] = (await once(child, 'exit')) as [number | null]
    expect((await Promise.all(asked)).filter((status) => status !== '200')).toEqual([])
    expect(code).toBe(0)
  })

  it('by way of the Broker has each of them done once, by this instance or the next', async () => {
    const port = await freePort()
    const child = await start(port)
    const others = createServer((incoming, response) => {
      incoming.resume()
      response.writeHead(204).end()
    })
    await once(others.listen(0, '127.0.0.1'), 'listening')
    onTestFinished(() => void others.close())
    const rest = (others.address() as AddressInfo).port
    const done = new Map<string, number>()
    const broker = await startBroker({
      manifests: await readManifests('broker', 'triggers'),
      port: 0,
      resolve: ({ name }) => new URL(`http://127.0.0.1:${name === 'validate' ? port : rest}/`),
      warn: () => undefined,
      observe: ({ event }) => {
        const { id = '', type = '' } = event.attributes
        if (type.endsWith('.validated')) done.set(id, (done.get(id) ?? 0) + 1)
      },
    })
    onTestFinished(() => broker.close())
    const url = broker.url('drover', 'default')
    const statuses = await Promise.all(
      Array.from({ length: flights }, async (_, index) => {
        const { status } = await fetch(url, { method: 'POST', headers: headers(`broker-${index}`), body })
        return status
      }),
    )
    expect(new Set(statuses)).toEqual(new Set([202]))
    await sleep(300)
    child.kill('SIGTERM')
    await once(child, 'exit')
    await start(port)
    await expect.poll(() => done.size, { timeout: 45_000, interval: 200 }).toBe(flights)
    await broker.idle()
    expect([...done.values()].filter((times) => times !== 1)).toEqual([])
  })
})
