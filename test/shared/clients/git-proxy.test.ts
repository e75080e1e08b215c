import { describe, expect, it } from 'vitest'
import { makeAuthority } from '../../../local/clusters/certificate.ts'
import type { Environment } from '../../../shared/config.ts'
import { fullText, rejection } from './git/errors.ts'
import { type HttpProxy, startProxy } from './git/proxy.ts'
import { counting, makeWorld, TOKEN, type World } from './git/world.ts'

const PASSWORD = 'canary-pr@xy/9'
const LOGIN = `drover:${PASSWORD}`
/** Known to the proxy alone: nobody gets there by another way. */
const HOST = 'git.fleet.invalid'

interface Reached {
  world: World
  proxy: HttpProxy
  /** What a function is told, but for the proxy. */
  env: Environment
}

async function reach(scheme: 'http' | 'https', status?: number): Promise<Reached> {
  const { certificate, issueFor } = makeAuthority('Ours')
  const world = await makeWorld(scheme === 'https' ? { tls: issueFor([HOST]) } : {})
  const { port, pathname } = new URL(world.host.plainUrl)
  const proxy = await startProxy(LOGIN, { [HOST]: Number(port) }, status)
  const env = {
    DROVER_GIT_URL: `${scheme}://${HOST}${pathname}`,
    DROVER_GIT_TOKEN: TOKEN,
    DROVER_GIT_CA_FILE: await world.file('ca.pem', certificate),
  }
  return { world, proxy, env }
}

const through = ({ host }: HttpProxy, login = LOGIN) => {
  const [user = '', password = ''] = login.split(':').map(encodeURIComponent)
  return `http://${user}:${password}@${host}`
}

describe('openFleet through a proxy', () => {
  it.each([
    ['https', 'HTTPS_PROXY', `CONNECT ${HOST}:443`],
    ['https', 'https_proxy', `CONNECT ${HOST}:443`],
    ['https', 'ALL_PROXY', `CONNECT ${HOST}:443`],
    ['http', 'HTTP_PROXY', `GET http://${HOST}/fleet.git/info/refs?service=git-receive-pack`],
    ['http', 'http_proxy', `GET http://${HOST}/fleet.git/info/refs?service=git-receive-pack`],
  ] as const)('reads and pushes by %s when %s names it', async (scheme, variable, asked) => {
    const { world, proxy, env } = await reach(scheme)
    const fleet = world.openBy({ ...env, [variable]: through(proxy) })
    await fleet.transact(counting('a'))
    expect(await (await fleet.head()).read('counter')).toBe('1')
    expect(await world.git('show', 'main:counter')).toBe('1')
    expect(proxy.asked.map(({ method, target }) => `${method} ${target}`)).toContain(asked)
  })

  it('shows the proxy of a TLS connection no token', async () => {
    const { world, proxy, env } = await reach('https')
    await world.openBy({ ...env, HTTPS_PROXY: through(proxy) }).transact(counting('a'))
    expect(proxy.asked.filter(({ headers }) => headers.authorization !== undefined)).toEqual([])
  })

  it.each(['NO_PROXY', 'no_proxy'])('goes past it to hosts that %s names', async (variable) => {
    const world = await makeWorld()
    const fleet = world.openBy({
      DROVER_GIT_TOKEN: TOKEN,
      HTTP_PROXY: 'http://127.0.0.1:1',
      [variable]: '.svc,127.0.0.1',
    })
    await fleet.transact(counting('a'))
    expect(await world.git('show', 'main:counter')).toBe('1')
  })

  it.each<[string, 'http' | 'https', number | undefined, (proxy: HttpProxy) => string, string, string]>([
    [
      'our credentials are not taken, by https',
      'https',
      undefined,
      (proxy) => through(proxy, `${LOGIN}!`),
      'broken',
      'the proxy does not accept our credentials (407): its address must hold the user name and the password',
    ],
    [
      'our credentials are not taken, by http',
      'http',
      undefined,
      (proxy) => through(proxy, `${LOGIN}!`),
      'broken',
      'the proxy does not accept our credentials (407): its address must hold the user name and the password',
    ],
    [
      'it does not let us through',
      'https',
      403,
      through,
      'broken',
      'the proxy does not let us through to the Git server (403): let it do so, or name the server in NO_PROXY',
    ],
    ['it cannot reach the server', 'https', 503, through, 'busy', 'the proxy answered 503'],
    [
      'nobody knows it',
      'https',
      undefined,
      () => through({ host: 'proxy.invalid:3128', asked: [] }),
      'busy',
      'the proxy cannot be reached',
    ],
    [
      'it is not there',
      'https',
      undefined,
      () => through({ host: '127.0.0.1:1', asked: [] }),
      'busy',
      'the Git server cannot be reached',
    ],
  ])('says what is wrong when %s, and shows no password', async (_, scheme, status, address, reason, why) => {
    const { world, proxy, env } = await reach(scheme, status)
    const fleet = world.openBy({ ...env, [`${scheme}_proxy`]: address(proxy) }, { tries: 2 })
    for (const call of [() => fleet.head(), () => fleet.transact(counting('a'))]) {
      const error = await rejection(call())
      expect([error.reason, error.message]).toEqual([reason, `Cannot read the fleet repository: ${why}`])
      expect(fullText(error)).not.toMatch(/canary|pr(?:@|%40)xy/)
    }
    expect(world.warnings.join()).not.toMatch(/canary/)
    expect(world.host.answered).toEqual([])
  })
})
