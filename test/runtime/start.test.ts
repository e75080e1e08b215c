import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { startGitHost } from '../../local/git/host.ts'
import { seedFleet } from '../../local/git/seed.ts'
import { environment, newSigningKey } from '../../shared/config.ts'
import { freePort } from '../free-port.ts'

/** What func's buildpack runs in a container. */

const root = new URL('../..', import.meta.url).pathname
const directory = mkdtempSync(join(tmpdir(), 'drover-start-'))
let git: Awaited<ReturnType<typeof startGitHost>>
beforeAll(async () => {
  git = await startGitHost({ directory, repository: 'fleet.git', token: 'token', env: environment() })
  await seedFleet(git.path, join(root, 'examples/fleet'), { env: environment() })
})
afterAll(async () => {
  await git.close()
  rmSync(directory, { recursive: true, force: true })
})

/** Starts it, and answers where it listens once it is ready. */
async function npmStart(settings: Record<string, string>): Promise<string> {
  const port = await freePort()
  const { PATH, HOME } = environment()
  const child = spawn('npm', ['start'], {
    cwd: root,
    detached: true,
    env: {
      ...{ PATH, HOME },
      PORT: `${port}`,
      DROVER_LOG_LEVEL: 'silent',
      DROVER_SIGNING_KEYS: newSigningKey(),
      DROVER_GIT_URL: git.plainUrl,
      DROVER_GIT_TOKEN: 'token',
      DROVER_GIT_DIRECTORY: join(directory, `${port}`),
      ...settings,
    },
  })
  let said = ''
  child.stderr.on('data', (data) => (said += data))
  onTestFinished(() => end(child))
  const url = `http://127.0.0.1:${port}`
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await sleep(50)) {
    if (child.exitCode !== null) break
    const answer = await fetch(`${url}/health/readiness`).catch(() => undefined)
    if (answer?.status === 200) return url
  }
  throw new Error(`Cannot start: ${said}`)
}

/** npm's shell keeps a signal for itself: the whole group hears it. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.pid === undefined) return
  const ended = once(child, 'exit')
  process.kill(-child.pid, 'SIGTERM')
  await ended
}

async function post(url: string, type: string) {
  const headers = {
    'ce-specversion': '1.0',
    'ce-id': '1',
    'ce-source': '/tests',
    'ce-type': type,
    'content-type': 'application/json',
  }
  const answer = await fetch(url, { method: 'POST', headers, body: '{"template": "none"}' })
  return { status: answer.status, type: answer.headers.get('ce-type'), body: await answer.text() }
}

const request = 'dev.drover.provision.requested'

describe('npm start', () => {
  it('serves any function, by the type of the event', async () => {
    const url = await npmStart({})
    expect(await post(url, request)).toMatchObject({ status: 200, type: 'dev.drover.provision.validate.failed' })
    // Signed by nobody: it got as far as the function that it is for.
    expect(await post(url, 'dev.drover.provision.validated')).toMatchObject({ status: 403 })
    expect(await post(url, 'com.example.other')).toMatchObject({ status: 400 })
  })

  it('serves the one that FUNCTION names, and no event of another', async () => {
    const url = await npmStart({ FUNCTION: 'validate' })
    expect(await post(url, request)).toMatchObject({ status: 200, type: 'dev.drover.provision.validate.failed' })
    const other = await post(url, 'dev.drover.provision.validated')
    expect(other.status).toBe(400)
    expect(other.body).toContain('in "validate": it is for "allocate"')
  })

  it('refuses a FUNCTION that there is not, with a sentence', async () => {
    await expect(npmStart({ FUNCTION: 'frobnicate' })).rejects.toThrow(
      'FUNCTION is "frobnicate", wanted one of validate',
    )
  })
})
