import { once } from 'node:events'
import type { Server } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newSigningKey, readConfig } from '../../shared/config.ts'
import { toFunction } from '../../shared/runtime/function.ts'
import { startRuntime } from '../../shared/runtime/start.ts'
import { type Step, succeeded } from '../../shared/step.ts'
import { freePort } from '../free-port.ts'

/** faas-js-runtime puts a query over what it hands to a function, and its router finds one behind more than a "?". */

let port = 0
let server: Server
let worked = 0
beforeAll(async () => {
  const config = readConfig({
    DROVER_GIT_URL: 'https://git.example.com/fleet.git',
    DROVER_SIGNING_KEYS: newSigningKey(),
    DROVER_LOG_LEVEL: 'silent',
  })
  const step: Step = async () => {
    worked++
    return succeeded('done')
  }
  port = await freePort()
  server = await startRuntime(
    toFunction('validate', () => ({ step, post: undefined }), config),
    port,
  )
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

const body = '{"template":"linux-small"}'
const lines = [
  'host: drover',
  'connection: close',
  'ce-specversion: 1.0',
  'ce-id: 1',
  'ce-source: /tests',
  'ce-type: dev.drover.provision.requested',
  'content-type: application/json',
  `content-length: ${body.length}`,
]

/** What is answered to a request for a target that no client would write. */
async function ask(target: string, more: readonly string[] = []): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.end(`POST ${target} HTTP/1.1\r\n${[...lines, ...more].join('\r\n')}\r\n\r\n${body}`)
  const [answer] = await Promise.all([text(socket), once(socket, 'close')])
  return answer
}

describe('a request', () => {
  it.each([
    '/?body=forged',
    '/?__proto__=x',
    '/?',
    '/;body=forged',
    '/;headers=x&method=POST',
    '/;',
    '/#body=forged',
    '//?body=forged',
    '/./?body=forged',
    'http://drover/?body=forged',
    'http://drover/;cloudevent=forged',
    'http://drover/',
    'HTTP://drover/',
    '*',
  ])('for %s is refused before the function sees it', async (target) => {
    const before = worked
    expect(await ask(target)).toMatch(/^HTTP\/1\.1 (400|404) /)
    expect(worked).toBe(before)
  })

  it('for the function itself is worked on, or it would have proved nothing', async () => {
    const before = worked
    expect(await ask('/')).toContain('ce-type: dev.drover.provision.validated')
    expect(worked).toBe(before + 1)
  })

  it.each([
    ['with two lengths', 'content-length: 5'],
    ['with a length and chunks', 'transfer-encoding: chunked'],
    ['with a line break in a header', 'x-one: a\rce-type: forged'],
    ['with a null character in a header', 'x-one: a\u0000b'],
    ['with a header that is no name', 'x one: a'],
  ])('%s is refused by the server', async (_, line) => {
    const before = worked
    expect(await ask('/', [line])).toMatch(/^HTTP\/1\.1 400 /)
    expect(worked).toBe(before)
  })
})
