import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { RequestOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CustomObjectsApi } from '@kubernetes/client-node'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { openAccess } from '../../../shared/clients/access.ts'
import type { KubeconfigSettings } from '../../../shared/clients/kubeconfig.ts'
import { startFleet } from '../../local/clusters/harness.ts'
import { listening } from './listening.ts'

const folder = mkdtempSync(join(tmpdir(), 'access-'))
afterAll(() => rmSync(folder, { recursive: true }))
const file = (name: string, text: string) => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

/** A cluster that knows one token at a time, and answers what it is told to. */
let cluster: Awaited<ReturnType<typeof listening>>
let valid = 'one'
let answers: number[] = []
beforeEach(async () => {
  valid = 'one'
  answers = []
  cluster = await listening(({ headers }) => {
    const headersOf = { 'content-type': 'application/json' }
    if (headers.authorization !== `Bearer ${valid}`) return { status: 401, headers: headersOf, body: {} }
    return { status: answers.shift() ?? 200, headers: headersOf, body: { items: [] } }
  })
})
afterEach(() => cluster.close())

/** A kubeconfig in which `hub` is that cluster. The client takes plain HTTP only where it need not verify. */
const kubeconfig = (user: object, context = 'hub') =>
  JSON.stringify({
    clusters: [{ name: 'c', cluster: { server: cluster.url, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: context, context: { cluster: 'c', user: 'u' } }],
  })

async function ask(config: Partial<KubeconfigSettings>, context = 'hub'): Promise<unknown> {
  return list(openAccess({ kubeconfig: undefined, hubContext: 'hub', ...config })(context))
}
const list = (access: ReturnType<ReturnType<typeof openAccess>>) =>
  access
    .use('list things', (config) =>
      config.makeApiClient(CustomObjectsApi).listClusterCustomObject({ group: 'g', version: 'v1', plural: 'things' }),
    )
    .catch((error) => {
      throw access.failure(error)
    })
const statuses = () => cluster.asked.map(({ headers }) => headers.authorization)

describe('a kubeconfig', () => {
  it('may name a token file, beside it, which is read at each use', async () => {
    const access = openAccess({ kubeconfig: file('config', kubeconfig({ tokenFile: 'token' })), hubContext: 'hub' })(
      'hub',
    )
    file('token', 'one\n')
    await list(access)
    file('token', 'two\n')
    valid = 'two'
    await list(access)
    expect(statuses()).toEqual(['Bearer one', 'Bearer two'])
    const options: RequestOptions = {}
    await access.use('list things', (config) => config.applyToHTTPSOptions(options))
    expect(options.headers).toEqual({ Authorization: 'Bearer two' })
  })

  it('is read again where its token is taken no longer, once', async () => {
    const path = file('config', kubeconfig({ token: 'one' }))
    const access = openAccess({ kubeconfig: path, hubContext: 'hub' })('hub')
    await list(access)
    valid = 'two'
    await expect(list(access)).rejects.toMatchObject({
      reason: 'broken',
      message: 'Cannot ask cluster "hub": it answered 401',
    })
    file('config', kubeconfig({ token: 'two' }))
    await list(access)
    expect(statuses()).toEqual(['Bearer one', 'Bearer one', 'Bearer one', 'Bearer two'])
  })

  it('is read again after a minute, and not before', async () => {
    const path = file('config', kubeconfig({ token: 'one' }))
    const access = openAccess({ kubeconfig: path, hubContext: 'hub' })('hub')
    const server = () => access.use('look', async (config) => config.getCurrentCluster()?.server)
    vi.useFakeTimers({ toFake: ['Date'] })
    try {
      expect(await server()).toBe(cluster.url)
      file('config', kubeconfig({ token: 'one' }).replace(cluster.url, 'http://elsewhere'))
      vi.advanceTimersByTime(59_000)
      expect(await server()).toBe(cluster.url)
      vi.advanceTimersByTime(2_000)
      expect(await server()).toBe('http://elsewhere')
    } finally {
      vi.useRealTimers()
    }
  })

  it('whose token file is not there says so', async () => {
    const path = file('config', kubeconfig({ tokenFile: '/nowhere/token' }))
    await expect(ask({ kubeconfig: path })).rejects.toMatchObject({
      reason: 'broken',
      message: 'Cannot reach cluster "hub": its token file cannot be read',
    })
  })
})

describe('a cluster', () => {
  it.each([429, 503])('that is busy with %i is asked again', async (status) => {
    answers = [status, 200]
    expect(await ask({ kubeconfig: file('config', kubeconfig({ token: 'one' })) })).toEqual({ items: [] })
    expect(cluster.asked).toHaveLength(2)
  })

  it('that stays busy is busy, not broken', async () => {
    answers = Array(20).fill(503)
    await expect(ask({ kubeconfig: file('config', kubeconfig({ token: 'one' })) })).rejects.toMatchObject({
      reason: 'busy',
      message: 'Cannot ask cluster "hub": it answered 503',
    })
    expect(cluster.asked.length).toBeLessThan(10)
  })

  it('that does not answer is given up', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    const path = file('config', kubeconfig({ token: 'one' }).replace(cluster.url, `http://127.0.0.1:${port}`))
    await expect(ask({ kubeconfig: path, patience: 100 })).rejects.toMatchObject({
      reason: 'broken',
      message: 'Cannot ask cluster "hub": it does not answer',
    })
    silent.closeAllConnections()
    silent.close()
  })

  it('that refuses is not asked again', async () => {
    answers = [403, 200]
    await expect(ask({ kubeconfig: file('config', kubeconfig({ token: 'one' })) })).rejects.toThrow(
      'Cannot ask cluster "hub": it answered 403',
    )
    expect(cluster.asked).toHaveLength(1)
  })
})

describe('in a Pod', () => {
  const serviceAccount = join(folder, 'serviceaccount')
  mkdirSync(serviceAccount)
  let fleet: Awaited<ReturnType<typeof startFleet>>
  beforeAll(async () => {
    fleet = await startFleet({ clusters: [] })
  })
  afterAll(() => fleet.end())

  /** What Kubernetes gives a Pod: where the API server is, its CA and a token. */
  const pod = () => {
    const { clusters, users } = fleet.clusters.kubeconfig
    const { server = '', 'certificate-authority-data': ca = '' } = clusters[0]?.cluster ?? {}
    file('serviceaccount/ca.crt', Buffer.from(ca, 'base64').toString())
    file('serviceaccount/token', `${users[0]?.user.token}\n`)
    return { ownCluster: server, serviceAccount }
  }

  it.each<[string, () => string | undefined]>([
    ['there is no kubeconfig', () => undefined],
    ['the kubeconfig is not there', () => '/nowhere/kubeconfig'],
    ['the kubeconfig has no context for it', () => file('sites', kubeconfig({ token: 'not this' }, 'site-a'))],
  ])('the hub is the own cluster where %s', async (_, path) => {
    const access = openAccess({ kubeconfig: path(), hubContext: 'hub', ...pod() })('hub')
    const what = { group: 'argoproj.io', version: 'v1alpha1', plural: 'appprojects' }
    const found = await access.use('list things', (config) =>
      config
        .makeApiClient(CustomObjectsApi)
        .getNamespacedCustomObject({ ...what, namespace: 'argocd', name: 'default' }),
    )
    expect(found).toMatchObject({ kind: 'AppProject' })
    expect(cluster.asked).toEqual([])
  })

  it('the hub is the one in the kubeconfig where that has one', async () => {
    const path = file('config', kubeconfig({ token: 'one' }))
    await ask({ kubeconfig: path, ownCluster: 'https://10.0.0.1:443', serviceAccount: '/nowhere' })
    expect(cluster.asked).toHaveLength(1)
  })

  it.each<[string, Partial<KubeconfigSettings>, string, string]>([
    ['a managed cluster is never the own one', {}, 'site-a', 'Cannot reach cluster "site-a": there is no kubeconfig'],
    [
      'a managed cluster is never the own one, whatever the file',
      { kubeconfig: '/nowhere' },
      'site-a',
      'the kubeconfig cannot be read',
    ],
    ['a Pod without a token has no hub', { serviceAccount: '/nowhere' }, 'hub', 'this Pod has no ServiceAccount token'],
    [
      'a kubeconfig that is none is not passed over',
      { kubeconfig: file('none', '{') },
      'hub',
      'the kubeconfig cannot be read',
    ],
  ])('%s', async (_, config, context, sentence) => {
    await expect(ask({ ...pod(), ...config }, context)).rejects.toThrow(sentence)
  })
})
