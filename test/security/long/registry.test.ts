import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, it, onTestFinished } from 'vitest'
import { environment } from '../../../shared/config.ts'

/** The program that pushes a disk, and a registry that says back the password that it was shown. */

const password = `canary.registry.${randomBytes(12).toString('hex')}`
const basic = Buffer.from(`robot:${password}`).toString('base64')
const granted = `canary.token.${randomBytes(12).toString('hex')}`

type Answer = (request: IncomingMessage, response: ServerResponse, url: string) => void

/** All that the request brought, in every form. */
function sayBack({ headers, url }: IncomingMessage, response: ServerResponse, status: number): void {
  const said = `${url} ${JSON.stringify(headers)} robot:${password}`
  response.writeHead(status, { 'x-said': headers.authorization ?? '', 'content-type': 'application/json' })
  response.end(JSON.stringify({ errors: [{ code: said, message: said }], token: `${granted}\nmore` }))
}

const rows: [what: string, answer: Answer][] = [
  [
    'that refuses the password',
    (request, response) =>
      request.headers.authorization
        ? sayBack(request, response, 403)
        : void response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end(),
  ],
  [
    'whose token service refuses it',
    (request, response, url) =>
      request.url?.startsWith('/token')
        ? sayBack(request, response, 401)
        : void response.writeHead(401, { 'www-authenticate': `Bearer realm="${url}/token",service="x"` }).end(),
  ],
  [
    'whose token service gives a token that fits no header',
    (request, response, url) =>
      request.url?.startsWith('/token')
        ? sayBack(request, response, 200)
        : void response.writeHead(401, { 'www-authenticate': `Bearer realm="${url}/token"` }).end(),
  ],
  [
    'that names a token service with the password in its address',
    (_, response) =>
      void response
        .writeHead(401, { 'www-authenticate': `Bearer realm="http://robot:${password}@127.0.0.1:1/token"` })
        .end(),
  ],
]

describe('a registry', () => {
  it.each(rows)('%s finds no secret of it in what is said', async (_, answer) => {
    const directory = mkdtempSync(join(tmpdir(), 'drover-registry-'))
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
    let heard = ''
    const server = createServer((request, response) => {
      heard += JSON.stringify(request.headers)
      request.resume()
      answer(request, response, `http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    onTestFinished(() => void server.close())
    const file = (name: string, content: string) => {
      writeFileSync(join(directory, name), content)
      return join(directory, name)
    }
    mkdirSync(join(directory, 'credentials'))
    file('credentials/username', 'robot')
    file('credentials/password', password)
    const result = file('result', '')
    const child = spawn(process.execPath, ['functions/push-disk.ts'], {
      env: {
        PATH: environment()['PATH'],
        PUSH_REPOSITORY: `127.0.0.1:${(server.address() as AddressInfo).port}/golden/rhel9`,
        PUSH_TAG: '1',
        PUSH_DISK: file('disk.img', 'x'.repeat(1 << 20)),
        PUSH_ARCHITECTURE: 'amd64',
        PUSH_CREATED: '2030-01-01T00:00:00Z',
        PUSH_CREDENTIALS: join(directory, 'credentials'),
        PUSH_INSECURE: 'true',
        PUSH_RESULT: result,
      },
    })
    const words = readFileSync(`/proc/${child.pid}/cmdline`, 'utf8')
    const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
    const said = [out, err, readFileSync(result, 'utf8'), words].join('\n')
    expect(code).toBe(1)
    expect(readFileSync(result, 'utf8')).toMatch(/^Cannot /)
    for (const secret of [password, basic, granted]) expect(said).not.toContain(secret)
    // It was shown where it had to be; of a service that has it in its address, nobody was asked.
    expect(heard.includes(basic)).toBe(!rows.at(-1)?.includes(answer))
  })
})
