import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { awaitReady } from '../../../local/functions.ts'
import { type GitHost, startGitHost } from '../../../local/git/host.ts'
import { seedFleet } from '../../../local/git/seed.ts'
import { buildBundle } from '../../../scripts/build.ts'
import { environment, newSigningKey } from '../../../shared/config.ts'
import { freePort } from '../../free-port.ts'

/** A function as its container runs it, when more comes than it can do, what it cannot read, or what never ends. */

const root = new URL('../../..', import.meta.url).pathname
const directory = mkdtempSync(join(tmpdir(), 'drover-pressure-'))
let git: GitHost
let port: number
let child: ChildProcess
beforeAll(async () => {
  const bundle = join(directory, 'drover.cjs')
  await buildBundle(bundle)
  git = await startGitHost({ directory, repository: 'fleet.git', token: 'token', env: environment() })
  await seedFleet(git.path, join(root, 'examples/fleet'), { env: environment() })
  port = await freePort()
  child = spawn(process.execPath, [join(root, 'local/function-process.ts'), bundle], {
    stdio: ['pipe', 'ignore', 'inherit'],
    env: {
      PATH: environment()['PATH'],
      FUNCTION: 'validate',
      PORT: `${port}`,
      DROVER_LOG_LEVEL: 'silent',
      DROVER_SIGNING_KEYS: newSigningKey(),
      DROVER_GIT_URL: git.plainUrl,
      DROVER_GIT_TOKEN: 'token',
      DROVER_GIT_DIRECTORY: join(directory, 'clone'),
    },
  })
  await awaitReady(port, 'validate')
})
afterAll(async () => {
  child.kill('SIGKILL')
  await git.close()
  rmSync(directory, { recursive: true, force: true, maxRetries: 3 })
})

const agentFor = (connections: number): Agent => {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  onTestFinished(() => agent.destroy())
  return agent
}

const example = JSON.parse(readFileSync(join(root, 'examples/provision.json'), 'utf8')) as { data: object }
const body = JSON.stringify(example.data)
const headersOf = (id: string) => ({
  'ce-specversion': '1.0',
  'ce-id': id,
  'ce-source': '/tests',
  'ce-type': 'dev.drover.provision.requested',
  'content-type': 'application/json',
})

interface Answer {
  status: number
  type: string | undefined
}

const post = (agent: Agent, headers: Record<string, string>, text: string | Buffer) =>
  new Promise<Answer>((done, failed) => {
    const outgoing = request({ port, agent, method: 'POST', headers }, (response) => {
      response.resume()
      response.on('error', failed)
      response.on('end', () =>
        done({ status: response.statusCode ?? 0, type: response.headers['ce-type'] as string | undefined }),
      )
    })
    outgoing.on('error', failed)
    outgoing.end(text)
  })

const taken = { status: 200, type: 'dev.drover.provision.validated' }

/** Posts good events, all at once as far as the connections go. */
async function postGood(count: number, connections: number, name: string): Promise<void> {
  const agent = agentFor(connections)
  const posted = Array.from({ length: count }, (_, index) => post(agent, headersOf(`${name}-${index}`), body))
  const others = (await Promise.all(posted)).filter(
    ({ status, type }) => status !== taken.status || type !== taken.type,
  )
  expect(others).toEqual([])
}

/** The memory of the function's process, in bytes. */
function memory(): number {
  const [, kilobytes = ''] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? []
  return Number(kilobytes) * 1024
}

describe('a function', { timeout: 180_000 }, () => {
  it('answers each of 3,000 events that come over 500 connections at once, time and again, in the memory of its container', {
    skip: process.platform !== 'linux',
  }, async () => {
    for (const burst of ['first', 'second', 'third']) {
      await postGood(3_000, 500, burst)
      expect(memory()).toBeLessThan(512 * 2 ** 20)
    }
  })

  it('takes 1,000 good events with 100 broken ones among them, and has no Broker bring those again', async () => {
    const agent = agentFor(50)
    const { 'ce-id': _, ...nameless } = headersOf('')
    const structured = { 'content-type': 'application/cloudevents+json' }
    const poisons: ((index: number) => Promise<Answer>)[] = [
      () => post(agent, nameless, body),
      (index) => post(agent, headersOf(`cut-${index}`), body.slice(0, 7 + index)),
      (index) => post(agent, { ...headersOf(`type-${index}`), 'ce-type': 'com.example.other' }, body),
      (index) => post(agent, { ...headersOf(`version-${index}`), 'ce-specversion': '9' }, body),
      (index) => post(agent, headersOf(`bytes-${index}`), Buffer.alloc(1_000, index)),
      (index) => post(agent, structured, `{"specversion":"1.0","id":"${index}"`),
      () => post(agent, structured, '[]'),
      () => post(agent, { 'content-type': 'application/x-www-form-urlencoded' }, 'a=b&'.repeat(1_000)),
      () => post(agent, {}, ''),
      (index) => post(agent, { ...headersOf(`signed-${index}`), 'ce-type': 'dev.drover.provision.named' }, body),
    ]
    const posted = Array.from({ length: 1_100 }, async (_, index) => {
      const isPoison = index % 11 === 10
      const round = Math.floor(index / 11)
      if (isPoison) return { isPoison, ...(await poisons[round % poisons.length]!(round)) }
      return { isPoison, ...(await post(agent, headersOf(`among-${index}`), body)) }
    })
    const answers = await Promise.all(posted)
    const good = answers.filter(({ isPoison }) => !isPoison)
    expect(good.filter(({ status, type }) => status !== taken.status || type !== taken.type)).toEqual([])
    const poison = answers.filter(({ isPoison }) => isPoison)
    expect(poison).toHaveLength(100)
    // Knative tries these again: 404, 408, 409, 425, 429 and what is the server's fault.
    const again = poison.filter(({ status }) => [404, 408, 409, 425, 429].includes(status) || status >= 500)
    expect(again).toEqual([])
    expect(poison.filter(({ type }) => type?.endsWith('.validated'))).toEqual([])
  })

  it('answers others while 500 connections send a byte now and then, and ends those', async () => {
    const dribble = (index: number): { socket: Socket; closed: Promise<void> } => {
      const socket = connect(port, '127.0.0.1')
      socket.on('error', () => undefined)
      // Half of them never come to an end of their headers, the others of their body.
      socket.write('POST / HTTP/1.1\r\nhost: drover\r\n')
      if (index % 2 === 0) socket.write('content-length: 100000\r\ncontent-type: application/json\r\n\r\n')
      const sending = setInterval(() => socket.write(index % 2 === 0 ? 'x' : 'x: y\r\n'), 500)
      const closed = new Promise<void>((done) =>
        socket.on('close', () => {
          clearInterval(sending)
          done()
        }),
      )
      return { socket, closed }
    }
    const slow = Array.from({ length: 500 }, (_, index) => dribble(index))
    onTestFinished(() => {
      for (const { socket } of slow) socket.destroy()
    })
    await sleep(1_000)
    await postGood(500, 10, 'beside')
    expect(slow.filter(({ socket }) => socket.readyState === 'open').length).toBeGreaterThan(400)
    // Node looks for those that are late every half a minute.
    await Promise.race([
      Promise.all(slow.map(({ closed }) => closed)),
      sleep(90_000).then(() => expect.fail('still open')),
    ])
    await postGood(100, 10, 'after')
  })
})
