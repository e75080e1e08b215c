import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openAccess } from '../../../shared/clients/access.ts'
import { openDocuments } from '../../../shared/clients/openapi.ts'
import { listening } from './listening.ts'

/** What an API server answers to a path; a number is a status without a document. */
let answers: Record<string, unknown>
let server: Awaited<ReturnType<typeof listening>>
const folder = mkdtempSync(join(tmpdir(), 'openapi-'))
let kubeconfig: string

beforeAll(async () => {
  server = await listening(({ path }) => {
    const answer = answers[path] ?? 404
    return typeof answer === 'number' ? { status: answer } : { status: 200, body: answer }
  })
  kubeconfig = join(folder, 'kubeconfig')
  // The library wants this of whatever is no HTTPS.
  const cluster = { name: 'site-a', cluster: { server: server.url, 'insecure-skip-tls-verify': true } }
  const context = { name: 'site-a', context: { cluster: 'site-a', user: 'reader' } }
  const user = { name: 'reader', user: { token: 'hunter2' } }
  writeFileSync(kubeconfig, JSON.stringify({ clusters: [cluster], contexts: [context], users: [user] }))
})
afterAll(async () => {
  await server.close()
  rmSync(folder, { recursive: true })
})
beforeEach(() => {
  server.asked.splice(0)
})

const asked = () => server.asked.map(({ path }) => path)
const at = (hash: string) => `/openapi/v3/apis/a.example.com/v1?hash=${hash}`
const indexed = (url: unknown) => ({ paths: { 'apis/a.example.com/v1': { serverRelativeURL: url } } })

function opened() {
  const documents = openDocuments('a.example.com/v1', (document) => (document as { says: string } | undefined)?.says)
  const access = openAccess({ kubeconfig, hubContext: 'hub' })('site-a')
  return () => documents('site-a', access)
}

describe('the document of a group version', () => {
  it('is fetched once, and again when the index says that it has changed', async () => {
    const read = opened()
    answers = { '/openapi/v3': indexed(at('1')), [at('1')]: { says: 'one' } }
    expect([await read(), await read()]).toEqual(['one', 'one'])
    expect(asked()).toEqual(['/openapi/v3', at('1'), '/openapi/v3'])
    answers = { '/openapi/v3': indexed(at('2')), [at('2')]: { says: 'two' } }
    expect(await read()).toBe('two')
  })

  it.each<[string, Record<string, unknown>]>([
    ['has no index', {}],
    ['has an index of nothing', { '/openapi/v3': {} }],
    ['serves other groups', { '/openapi/v3': { paths: { 'apis/b.example.com/v1': { serverRelativeURL: at('1') } } } }],
    ['has lost it since', { '/openapi/v3': indexed(at('9')) }],
  ])('is not there where a cluster %s', async (_, said) => {
    answers = said
    expect(await opened()()).toBeUndefined()
  })

  it.each(['@evil.example.com/openapi/v3/', '.evil.example.com/', '/api/v1/secrets', 'https://evil.example.com/', 7])(
    'is fetched from nowhere else, such as %j',
    async (url) => {
      answers = { '/openapi/v3': indexed(url) }
      expect(await opened()()).toBeUndefined()
      expect(asked()).toEqual(['/openapi/v3'])
    },
  )

  it('cannot be told where the cluster does not let us ask', async () => {
    answers = { '/openapi/v3': 403 }
    await expect(opened()()).rejects.toMatchObject({
      reason: 'broken',
      message: 'Cannot ask cluster "site-a": it answered 403',
    })
  })
})
