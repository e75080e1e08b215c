import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { type Api, openApi } from './api.ts'
import { until } from './platform.ts'
import { stubFunctions } from './stub-functions.ts'

/** `broker/components/oidc` before Knative's real Broker: who may post what. */

const plane = inject('controlPlane')
const root = new URL('../..', import.meta.url).pathname
const kubectl = async (...args: string[]) =>
  (await promisify(execFile)(plane?.kubectl ?? '', ['--kubeconfig', plane?.kubeconfig ?? '', ...args], { cwd: root }))
    .stdout
const policies = 'broker/components/oidc/event-policies.yaml'
const audience = 'eventing.knative.dev/broker/drover/default'

let api: Api
let functions: Awaited<ReturnType<typeof stubFunctions>>
let issuer: Awaited<ReturnType<typeof serveIssuer>>

beforeAll(async () => {
  api = openApi(plane?.kubeconfig ?? '')
  functions = await stubFunctions(api)
  issuer = await serveIssuer()
  // An installation of Knative brings the first; nobody installed it here.
  for (const [namespace, name] of [
    ['knative-eventing', 'mt-broker-ingress-oidc'],
    ['drover-requesters', 'portal'],
  ] as const) {
    await api.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}?fieldManager=test&force=true`
    const body = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name } }
    await api.call('PATCH', path, { body, type: 'application/apply-patch+yaml' })
  }
  await until('the Broker is ready', async () => (await condition('Ready'))?.status === 'True', 150)
})
afterAll(async () => {
  await kubectl('delete', '--ignore-not-found', '-f', policies)
  await feature('disabled')
  await until('the Broker is ready again', async () => (await condition('Ready'))?.status === 'True')
  functions.close()
  issuer.close()
  api.close()
})

interface Condition {
  type: string
  status: string
  reason?: string
}

async function condition(type: string): Promise<Condition | undefined> {
  const broker = (await api.get('Broker', 'drover', 'default')) as { status?: { conditions?: Condition[] } } | undefined
  return broker?.status?.conditions?.find((one) => one.type === type)
}

const feature = (state: 'enabled' | 'disabled') => {
  const data = { 'authentication-oidc': state, 'oidc-discovery-base-url': state === 'enabled' ? issuer.url : null }
  return kubectl(
    '-n',
    'knative-eventing',
    'patch',
    'configmap',
    'config-features',
    '--type',
    'merge',
    '-p',
    JSON.stringify({ data }),
  )
}

/** The API server's own keys, where Knative can reach them: in a cluster it finds the API server by its name. */
async function serveIssuer() {
  const keys = await kubectl('get', '--raw', '/openid/v1/jwks')
  const discovery = JSON.parse(await kubectl('get', '--raw', '/.well-known/openid-configuration'))
  const server = createServer(({ url: path }, response) => {
    const isKeys = path === '/jwks'
    response.setHeader('content-type', 'application/json')
    response.end(isKeys ? keys : JSON.stringify({ ...discovery, jwks_uri: `${url}/jwks` }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url, close: () => server.close() }
}

let posted = 0
async function post(type: string, token?: string): Promise<number> {
  posted += 1
  const headers = {
    ...(token && { authorization: `Bearer ${token}` }),
    'ce-specversion': '1.0',
    'ce-id': `policy-${process.pid}-${posted}`,
    'ce-source': '/test',
    'ce-type': type,
    'content-type': 'application/json',
  }
  return (await fetch(`${plane?.ingress}/drover/default`, { method: 'POST', headers, body: '{}' })).status
}

const tokenOf = async (namespace: string, name: string, ...options: string[]) =>
  (await kubectl('-n', namespace, 'create', 'token', name, ...options)).trim()
const requester = () => tokenOf('drover-requesters', 'portal', '--audience', audience)
const own = (name: string) => tokenOf('drover', name, '--audience', audience)

describe('policies of events', () => {
  it('keep the Broker from ever being ready where Knative does not check who posts, and so are not in the base', async () => {
    await kubectl('apply', '-f', policies)
    await until('the Broker says so', async () => (await condition('Ready'))?.reason === 'EventPoliciesNotReady')
    await feature('enabled')
    await until('the Broker is ready', async () => (await condition('Ready'))?.status === 'True')
    await until('every Trigger is ready', async () =>
      (await api.list('Trigger', 'drover')).every((trigger) =>
        (trigger as { status?: { conditions?: Condition[] } }).status?.conditions?.some(
          ({ type, status }) => type === 'Ready' && status === 'True',
        ),
      ),
    )
    await until('the ingress asks for a token', async () => (await post('dev.drover.provision.requested')) === 401)
  })

  it.each<[number, string, string, () => Promise<string | undefined>]>([
    [401, 'a request of nobody', 'dev.drover.provision.requested', async () => undefined],
    [401, 'a token for something else', 'dev.drover.provision.requested', () => tokenOf('drover-requesters', 'portal')],
    [202, 'a request of a requester', 'dev.drover.provision.requested', requester],
    [403, 'a fact of a requester', 'dev.drover.provision.placed', requester],
    [403, 'a tick of a requester', 'dev.knative.sources.ping', requester],
    [403, 'something else of a requester', 'com.example.requested', requester],
    [202, 'progress of a function that waits', 'dev.drover.provision.place.progressing', () => own('place')],
    [202, 'what became of a dead letter', 'dev.drover.provision.place.failed', () => own('recover')],
    [403, 'a request of a function', 'dev.drover.provision.requested', () => own('place')],
    [403, 'a fact of a function that only answers', 'dev.drover.provision.validated', () => own('validate')],
  ])('answer %i to %s', async (status, _, type, token) => {
    expect(await post(type, await token())).toBe(status)
  })

  it('let pass what functions answer', async () => {
    functions.deliveries.splice(0)
    expect(await post('dev.drover.provision.requested', await requester())).toBe(202)
    await until('the answer of validate has come to allocate', async () =>
      functions.deliveries.some(({ to, type }) => to === 'allocate' && type === 'dev.drover.provision.validated'),
    )
    expect(functions.deliveries).toContainEqual({ to: 'validate', type: 'dev.drover.provision.requested' })
  })
})
