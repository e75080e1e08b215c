import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { openAccess } from '../../../shared/clients/access.ts'
import { openRights } from '../../../shared/clients/rights.ts'
import { DroverError } from '../../../shared/errors.ts'
import { type Answers, listening } from './listening.ts'

const open: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of open.splice(0)) await close()
})

const folder = mkdtempSync(join(tmpdir(), 'rights-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** What a hub says that answers so, and what it was asked. */
async function hubThat(answers: Answers) {
  const { url, asked, close } = await listening(answers)
  open.push(close)
  const kubeconfig = join(folder, 'kubeconfig')
  const config = {
    clusters: [{ name: 'c', cluster: { server: url, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'u', user: { token: 'drover' } }],
    contexts: [{ name: 'hub', context: { cluster: 'c', user: 'u' } }],
  }
  writeFileSync(kubeconfig, JSON.stringify(config))
  return { rights: openRights(openAccess({ kubeconfig, hubContext: 'hub' })('hub')), asked }
}
const status =
  (body: unknown): Answers =>
  () => ({
    status: 201,
    headers: { 'content-type': 'application/json' },
    body: { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', status: body },
  })

describe('the access rules of the hub', () => {
  it('are asked whether somebody may do this with machines of Drover, which no other API has', async () => {
    const { rights, asked } = await hubThat(status({ allowed: true }))
    expect(await rights.may('ann@example.com', 'provision', 'shop')).toBe(true)
    expect(asked).toMatchObject([{ method: 'POST', path: '/apis/authorization.k8s.io/v1/subjectaccessreviews' }])
    expect(JSON.parse(asked[0]?.body ?? '').spec).toEqual({
      user: 'ann@example.com',
      resourceAttributes: { group: 'drover.dev', resource: 'machines', verb: 'provision', namespace: 'shop' },
    })
  })

  it.each<[string, object, boolean]>([
    ['no', { allowed: false }, false],
    ['no, denied', { allowed: false, denied: true, reason: 'no' }, false],
    ['yes, though a binding is broken', { allowed: true, evaluationError: 'role "x" not found' }, true],
  ])('say %s', async (_, body, allowed) => {
    const { rights } = await hubThat(status(body))
    expect(await rights.may('ann', 'provision', 'shop')).toBe(allowed)
  })

  it.each<[string, Answers]>([
    ['forbids the question', () => ({ status: 403, body: { message: 'secret-word' } })],
    ['knows nobody by our token', () => ({ status: 401 })],
    ['fails', () => ({ status: 500 })],
    ['does not know the API', () => ({ status: 404 })],
    ['hangs up', () => 'nothing'],
    ['says nothing of it', status({})],
    ['answers with something else', () => ({ status: 201, body: { allowed: true } })],
    [
      'says no because it could not find out',
      status({ allowed: false, evaluationError: 'webhook secret-word is down' }),
    ],
    ['says yes in another word', status({ allowed: 'true' })],
  ])('grant nothing when the hub %s: it is to be asked again', async (_, answers) => {
    const { rights } = await hubThat(answers)
    const error = await rights.may('ann', 'provision', 'shop').catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(DroverError)
    expect(error).toMatchObject({
      reason: 'broken',
      message: expect.stringMatching(/^Cannot (ask cluster "hub"|find out what "ann" may do): /),
    })
    expect((error as DroverError).message).not.toContain('secret-word')
  })

  it('grant nothing while the hub is busy', { timeout: 30_000 }, async () => {
    const { rights } = await hubThat(() => ({ status: 429 }))
    await expect(rights.may('ann', 'provision', 'shop')).rejects.toMatchObject({ reason: 'busy' })
  })
})
