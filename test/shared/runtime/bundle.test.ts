import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildBundle, bundle } from '../../../scripts/build.ts'
import { newSigningKey } from '../../../shared/config.ts'
import { writeEvent } from '../../../shared/event.ts'
import { freePort } from '../../free-port.ts'
import { requestEvent } from '../events.ts'

const running: ChildProcess[] = []
const alone = join(mkdtempSync(join(tmpdir(), 'drover-bundle-')), 'any-name.cjs')
const start = (env: Record<string, string>) => {
  const child = spawn(process.execPath, [alone], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  running.push(child)
  return child
}

async function ready(port: number): Promise<void> {
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}/health/readiness`).catch(() => undefined)
    if (answer?.ok) return
    await new Promise((done) => setTimeout(done, 30))
  }
}

beforeAll(async () => {
  await buildBundle()
  // It needs no file beside it.
  copyFileSync(bundle, alone)
}, 60_000)
afterAll(() => {
  rmSync(dirname(alone), { recursive: true })
  for (const child of running) child.kill('SIGKILL')
})

describe('the bundle', () => {
  it('serves a function in a process of its own, and ends when it is told to', { timeout: 30_000 }, async () => {
    const port = await freePort()
    const child = start({
      PATH: '/usr/bin:/bin',
      FUNCTION: 'validate',
      PORT: String(port),
      DROVER_GIT_URL: 'https://git.example.com/fleet.git',
      DROVER_SIGNING_KEYS: newSigningKey(),
      DROVER_LOG_LEVEL: 'silent',
    })
    await ready(port)
    const { headers, body } = writeEvent(requestEvent({ extensions: { runid: 'cafe' } }))
    const answer = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', headers, body })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('ce-type')).toBe('dev.drover.provision.validate.failed')
    expect(((await answer.json()) as { message: string }).message).toContain('its runid is "cafe"')
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([0, null])
  })

  it('is a text that Node reads at a byte for each character', () => {
    expect(/[^\0-\x7f]/.test(readFileSync(alone, 'utf8'))).toBe(false)
  })

  it('does not start with a wrong configuration, and says why', { timeout: 30_000 }, async () => {
    const child = start({ FUNCTION: 'frobnicate', PORT: 'http' })
    const [said, [code]] = await Promise.all([text(child.stderr as NodeJS.ReadableStream), once(child, 'exit')])
    expect(code).toBe(1)
    expect(said).toMatch(/^Cannot start: FUNCTION is "frobnicate".*DROVER_GIT_URL is not set; PORT is "http".*\n$/)
  })
})
