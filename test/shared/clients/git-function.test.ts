import { type ChildProcess, spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { makeAuthority } from '../../../local/clusters/certificate.ts'
import { seedFleet } from '../../../local/git/seed.ts'
import { newSigningKey } from '../../../shared/config.ts'
import { writeEvent } from '../../../shared/event.ts'
import { freePort } from '../../free-port.ts'
import { requestEvent } from '../events.ts'
import { mountSecret } from './git/mount.ts'
import { startProxy } from './git/proxy.ts'
import { makeWorld, TOKEN } from './git/world.ts'

vi.setConfig({ testTimeout: 120_000 })

const HOST = 'git.fleet.invalid'
const NEW = 'canary-rotated-77aa'

interface Started {
  /** Posts a request; answers with its status and everything in the answer. */
  ask(id: string): Promise<{ status: number; text: string }>
  /** Everything that it has written so far. */
  said(): string
}

/** The function that reads the fleet first, in a process of its own, with these variables and no other. */
async function start(env: Record<string, string>): Promise<Started> {
  const port = await freePort()
  const needed = {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    FUNCTION: 'validate',
    PORT: String(port),
    DROVER_LOG_LEVEL: 'trace',
  }
  const child: ChildProcess = spawn(process.execPath, [resolve('functions/main.ts')], {
    env: { ...needed, DROVER_SIGNING_KEYS: newSigningKey(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (said += chunk))
  const url = `http://127.0.0.1:${port}`
  const isReady = () =>
    fetch(`${url}/health/readiness`).then(
      ({ ok }) => ok,
      () => false,
    )
  while (!(await isReady())) {
    if (child.exitCode !== null) throw new Error(`It did not start: ${said}`)
    await sleep(50)
  }
  return {
    said: () => said,
    ask: async (id) => {
      const { headers, body } = writeEvent(requestEvent({ id, time: new Date().toISOString() }))
      const answer = await fetch(url, { method: 'POST', headers, body })
      return { status: answer.status, text: `${JSON.stringify([...answer.headers])} ${await answer.text()}` }
    },
  }
}

describe('a function in a process of its own', () => {
  it('goes on with a token that was rotated while it runs', async () => {
    let known = TOKEN
    const world = await makeWorld({ token: () => known })
    await seedFleet(world.host.path, resolve('examples/fleet'))
    const secret = mountSecret(world.directory, { token: TOKEN })
    const { ask, said } = await start({
      DROVER_GIT_URL: world.host.plainUrl,
      DROVER_GIT_TOKEN_FILE: secret.path('token'),
      DROVER_GIT_DIRECTORY: `${world.directory}/clone`,
    })
    expect((await ask('one')).text).toContain('dev.drover.provision.validated')
    known = NEW
    const locked = await ask('two')
    expect(locked.status).toBe(500)
    await expect.poll(said, { timeout: 10_000 }).toContain('does not accept our credentials')
    secret.write({ token: NEW })
    expect((await ask('two')).text).toContain('dev.drover.provision.validated')
    expect(locked.text + said()).not.toMatch(/canary/)
  })

  it('gets to the Git server through the proxy of its environment, by a name that only the proxy knows', async () => {
    const { certificate, issueFor } = makeAuthority('Ours')
    const world = await makeWorld({ tls: issueFor([HOST]) })
    await seedFleet(world.host.path, resolve('examples/fleet'))
    const { port, pathname } = new URL(world.host.plainUrl)
    const proxy = await startProxy('drover:canary-proxy', { [HOST]: Number(port) })
    const env = {
      DROVER_GIT_URL: `https://${HOST}${pathname}`,
      DROVER_GIT_TOKEN: TOKEN,
      DROVER_GIT_CA_FILE: await world.file('ca.pem', certificate),
      DROVER_GIT_DIRECTORY: `${world.directory}/clone`,
    }
    const { ask, said } = await start({ ...env, HTTPS_PROXY: `http://drover:canary-proxy@${proxy.host}` })
    const { text } = await ask('one')
    expect(text).toContain('dev.drover.provision.validated')
    expect(proxy.asked[0]?.target).toBe(`${HOST}:443`)
    expect(text + said()).not.toMatch(/canary/)
    const turnedAway = await start({ ...env, HTTPS_PROXY: `http://drover:canary-wrong@${proxy.host}` })
    const { status, text: answer } = await turnedAway.ask('one')
    expect(status).toBe(500)
    await expect.poll(turnedAway.said, { timeout: 10_000 }).toContain('the proxy does not accept our credentials (407)')
    expect(answer + turnedAway.said()).not.toMatch(/canary|Y2FuYXJ5|ZHJvdmVyOm/)
  })
})
