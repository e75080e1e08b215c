import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { askerOf } from '../../../scripts/preflight/ask.ts'
import type { Report } from '../../../scripts/preflight/clusters.ts'
import { preflight } from '../../../scripts/preflight.ts'
import { openAccess } from '../../../shared/clients/access.ts'
import { startFleet } from '../../local/clusters/harness.ts'
import { type Answers, listening } from '../../shared/clients/listening.ts'

const root = new URL('../../../', import.meta.url).pathname
let fleet: Awaited<ReturnType<typeof startFleet>>
let kubeconfig = ''
beforeAll(async () => {
  fleet = await startFleet()
  kubeconfig = join(fleet.folder, 'kubeconfig')
  writeFileSync(kubeconfig, JSON.stringify(fleet.clusters.kubeconfig))
})
afterAll(() => fleet.end())

describe('npm run preflight', () => {
  it('looks at the hub and at each managed cluster, and fails for what is lacking', async () => {
    const { said, isLacking } = await preflight(['--kubeconfig', kubeconfig])
    expect(isLacking).toBe(true)
    expect(said).toMatch(/^hub\n {2}Kubernetes\n {4}ok {10}Kubernetes is v1/)
    expect(said).toMatch(/^ {4}lacks {7}It does not serve brokers\S+, \S+, \S+\n {16}-> install Knative Eventing 1.12/m)
    expect(said).toContain('    ok          ManagedCluster site-b is accepted and available\n')
    expect(said).toMatch(/^site-a\n(.*\n)+site-b\n/m)
    expect(said).toMatch(/\n\n\d+ lacking, (\d+ advised, )?\d+ not to be told\n$/)
  })

  it('says the same as JSON', async () => {
    const { said } = await preflight(['--kubeconfig', kubeconfig, '--json'])
    const reports = JSON.parse(said) as Report[]
    expect(reports.map(({ cluster }) => cluster)).toEqual(['hub', 'site-a', 'site-b'])
    const [storage] = reports.flatMap(({ areas }) => areas.filter(({ title }) => title === 'Storage'))
    expect(storage?.findings[0]).toEqual({ state: 'ok', says: 'StorageClass standard is the default' })
  })

  it('finds contexts in several files as kubectl does: the first that has one', async () => {
    const { contexts, clusters, ...rest } = fleet.clusters.kubeconfig
    const own = {
      ...rest,
      clusters,
      contexts: contexts.map((one) => ({ ...one, name: `${one.name}-admin` })).slice(0, 1),
    }
    const [first, second] = [join(fleet.folder, 'admin'), join(fleet.folder, 'clusters')]
    writeFileSync(first, JSON.stringify(own))
    writeFileSync(second, JSON.stringify({ ...rest, clusters, contexts: contexts.slice(1) }))
    const args = ['--hub-context', `${contexts[0]?.name}-admin`, '--json']
    const { said } = await preflight(['--kubeconfig', `${first}:${second}`, ...args])
    const reports = JSON.parse(said) as Report[]
    expect(reports.map(({ cluster }) => cluster)).toEqual(['hub-admin', 'site-a', 'site-b'])
    for (const { areas } of reports) expect(areas[0]?.findings[0]).toMatchObject({ state: 'ok' })
  })

  it('looks at no context that is no ManagedCluster', async () => {
    const path = join(fleet.folder, 'others')
    const { contexts, ...rest } = fleet.clusters.kubeconfig
    const more = [...contexts.slice(0, 2), { name: 'minikube', context: contexts[0]?.context }]
    writeFileSync(path, JSON.stringify({ ...rest, contexts: more }))
    const { said } = await preflight(['--kubeconfig', path])
    expect(said).toContain("advice      This kubeconfig's minikube is not called like a ManagedCluster")
    expect(said).toContain('cannot tell This kubeconfig has no context site-b')
    expect(said).not.toMatch(/^minikube/m)
  })

  it('says of a cluster that nobody answers, and asks nothing else of it', async () => {
    const path = join(fleet.folder, 'away')
    const away = JSON.stringify(fleet.clusters.kubeconfig).replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:1')
    writeFileSync(path, away)
    const { said, isLacking } = await preflight(['--kubeconfig', path])
    expect(isLacking).toBe(true)
    expect(said).toMatch(
      /^hub\n {2}Kubernetes\n {4}lacks {7}Cannot ask cluster "hub": it does not answer\n {16}->.*\n\nsite-a\n/,
    )
  })

  it.each<[string, string[], string]>([
    ['a kubeconfig that is not there', ['--kubeconfig', '/nowhere'], 'Cannot read the kubeconfig "/nowhere": ENOENT'],
    [
      'a hub of another name',
      ['--hub-context', 'acm'],
      'the kubeconfig has no context "acm" but hub, site-a, site-b; name it by',
    ],
    ['an option that is none', ['--cluster', 'x'], "Unknown option '--cluster'"],
  ])('refuses %s in a sentence', async (_, args, sentence) => {
    await expect(preflight(['--kubeconfig', kubeconfig, ...args])).rejects.toThrow(sentence)
  })

  it.each<[string, string[], RegExp, RegExp]>([
    ['lacking', [], /lacking/, /^$/],
    ['wrong', ['--hub-context', 'acm'], /^$/, /^Cannot look at the hub: [^\n]+\n$/],
  ])('ends with 1 where something is %s', async (_, args, said, complained) => {
    const file = join(root, 'scripts/preflight.ts')
    const ended = await new Promise<{ code: unknown; out: string; err: string }>((done) =>
      execFile(process.execPath, [file, '--kubeconfig', kubeconfig, ...args], (error, out, err) =>
        done({ code: error?.code ?? 0, out, err }),
      ),
    )
    expect(ended).toEqual({ code: 1, out: expect.stringMatching(said), err: expect.stringMatching(complained) })
  })
})

describe('a question to a cluster', () => {
  let server: Awaited<ReturnType<typeof listening>>
  afterEach(() => server.close())

  async function asker(answers: Answers) {
    server = await listening(answers)
    const path = join(fleet.folder, 'listening')
    const cluster = { server: server.url, 'insecure-skip-tls-verify': true }
    const config = {
      clusters: [{ name: 'c', cluster }],
      users: [{ name: 'u', user: { token: 'hunter2' } }],
      contexts: [{ name: 'hub', context: { cluster: 'c', user: 'u' } }],
    }
    writeFileSync(path, JSON.stringify(config))
    return askerOf(openAccess({ kubeconfig: path, hubContext: 'hub' })('hub'))
  }

  const status = (code: number, message: string) => ({ status: code, body: { kind: 'Status', message } })

  it.each<[string, Answers, object]>([
    ['an object', () => ({ status: 200, body: { a: 1 } }), { state: 'found', value: { a: 1 } }],
    ['that there is none', () => status(404, 'no'), { state: 'missing' }],
    ['that one may not know', () => status(403, 'u cannot get x'), { state: 'hidden', why: 'u cannot get x' }],
    ['an error', () => status(500, 'oh'), { state: 'hidden', why: 'Cannot ask cluster "hub": it answered 500' }],
    ['nothing', () => 'nothing', { state: 'hidden', why: 'Cannot ask cluster "hub": it does not answer' }],
    ['a bare refusal', () => ({ status: 403 }), { state: 'hidden', why: 'Cannot ask cluster "hub": it answered 403' }],
    ['a page', () => ({ status: 200 }), { state: 'hidden', why: 'it answers no JSON' }],
  ])('is answered with %s', async (_, answers, answer) => {
    const ask = await asker(answers)
    expect(await ask.get('/apis/x')).toEqual(answer)
    expect(server.asked[0]).toMatchObject({
      method: 'GET',
      path: '/apis/x',
      headers: { authorization: 'Bearer hunter2' },
    })
  })

  it('may be a review, which is posted', async () => {
    const ask = await asker(() => ({ status: 201, body: { status: { allowed: true } } }))
    expect(await ask.review('/apis/reviews', { spec: {} })).toEqual({
      state: 'found',
      value: { status: { allowed: true } },
    })
    expect(server.asked[0]).toMatchObject({ method: 'POST', body: '{"spec":{}}' })
  })
})
