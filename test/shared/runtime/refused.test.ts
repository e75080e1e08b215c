import { once } from 'node:events'
import { request, type Server } from 'node:http'
import pino from 'pino'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { newSigningKey, readConfig } from '../../../shared/config.ts'
import { writeEvent } from '../../../shared/event.ts'
import { toFunction } from '../../../shared/runtime/function.ts'
import { startRuntime } from '../../../shared/runtime/start.ts'
import { succeeded } from '../../../shared/step.ts'
import { freePort } from '../../free-port.ts'
import { requestEvent } from '../events.ts'
import { growth } from '../metrics.ts'

/** What is refused before any shell sees it must not be gone without a trace: of each the log has a line, and the metrics count it. */

const lines: string[] = []
vi.mock('../../../shared/log.ts', () => ({
  createLog: () => pino({}, { write: (line: string) => void lines.push(line) }),
}))

let port = 0
let server: Server
beforeAll(async () => {
  const config = readConfig({
    DROVER_GIT_URL: 'https://git.example.com/fleet.git',
    DROVER_SIGNING_KEYS: newSigningKey(),
  })
  port = await freePort()
  server = await startRuntime(
    toFunction('validate', () => ({ step: async () => succeeded('done'), post: undefined }), config),
    port,
  )
})
beforeEach(() => void lines.splice(0))
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

const { headers: ce, body: data } = writeEvent(requestEvent())
const post = (headers: Record<string, string>, body: string, path = '/') =>
  fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', headers, body })

/** A POST that does not say how long it is. */
async function postInPieces(body: Buffer): Promise<void> {
  const outgoing = request({ port, method: 'POST', headers: ce })
  // The other side may close once it has answered.
  outgoing.on('error', () => undefined)
  outgoing.write(body.subarray(0, 1000))
  outgoing.end(body.subarray(1000))
  const [response] = await once(outgoing, 'response')
  response.resume()
}
const large = Buffer.alloc(9 * 1024 * 1024, 'x')

describe('a request that is refused before the shell', () => {
  it.each<[string, number, () => Promise<unknown>, object]>([
    [
      'because it is no event',
      400,
      () => post({ ...ce, 'ce-source': '', 'ce-id': 'x'.repeat(1_000) }, data),
      { msg: 'Cannot read the event: it lacks id, source or type', causation: 'x'.repeat(100), type: ce['ce-type'] },
    ],
    [
      'because it is no JSON',
      400,
      () => post({ 'content-type': 'application/cloudevents+json' }, 'hunter2'),
      { msg: 'Cannot read the event: it is not JSON' },
    ],
    [
      'because of its address',
      400,
      () => post(ce, data, '/?token=hunter2'),
      { msg: 'Cannot take the event: its address has a query, wanted none' },
    ],
    [
      'because of its method',
      405,
      () => fetch(`http://127.0.0.1:${port}/`),
      { msg: 'Cannot answer: wanted a POST of a CloudEvent' },
    ],
    [
      'because it is too long',
      413,
      () => post(ce, large.toString()),
      { msg: 'Cannot read the event: it is longer than 8388608 bytes' },
    ],
    [
      'because it becomes too long',
      413,
      () => postInPieces(large),
      { msg: 'Cannot read the event: it is longer than 8388608 bytes' },
    ],
  ])('%s has one line in the log, and is counted as %i', async (_, status, act, expected) => {
    const told = async () => {
      await act()
      await vi.waitFor(() => expect(lines).not.toEqual([]))
    }
    expect(await growth('drover_deliveries_total', { status }, told)).toBe(1)
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      {
        level: 40,
        ...{ time: expect.anything(), pid: expect.anything(), hostname: expect.anything() },
        outcome: 'declined',
        status,
        ...expected,
      },
    ])
    expect(lines.join('')).not.toContain('hunter2')
  })

  it('is told of once: what the shell sees, it tells of itself', async () => {
    const act = () => post({ ...ce, 'ce-type': 'com.example.other' }, data)
    expect(await growth('drover_deliveries_total', { status: 400 }, act)).toBe(1)
    expect(lines).toHaveLength(1)
  })
})
