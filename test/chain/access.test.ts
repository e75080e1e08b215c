import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toYaml } from '../../shared/yaml.ts'
import { type Chain, factsOf, small, startChain } from './harness.ts'

/** Who may ask for a machine, by the hub's roles and by the fleet's policies, in whole runs. */

const rbac = 'rbac.authorization.k8s.io/v1'

describe('a requester', { timeout: 120_000 }, () => {
  let chain: Chain
  beforeAll(async () => {
    chain = await startChain({ DROVER_ACCESS_REVIEW: 'true' })
    const metadata = { name: 'drover-requesters', namespace: 'shop' }
    const rules = [{ apiGroups: ['drover.dev'], resources: ['machines'], verbs: ['provision'] }]
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: metadata.name }
    const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'ann@example.com' }]
    await chain.make('hub', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } })
    await chain.make('hub', { apiVersion: rbac, kind: 'Role', metadata, rules })
    await chain.make('hub', { apiVersion: rbac, kind: 'RoleBinding', metadata, roleRef, subjects })
  })
  afterAll(() => chain.close())

  it('whom the hub grants it gets a machine', async () => {
    const run = await chain.request(small({ requester: 'ann@example.com' }))
    expect((await run.ended).type).toMatch(/completed$/)
  })

  it.each<[string, object, string]>([
    ['another', { requester: 'bob@example.com' }, 'requester is "bob@example.com"'],
    ['nobody by name', {}, 'requester is "/tests"'],
    ['the same in another namespace', { requester: 'ann@example.com', namespace: 'office' }, 'in namespace "office"'],
  ])('who is %s is refused with a sentence, and nothing is done', async (_, change, says) => {
    const before = await chain.git('rev-parse', 'main')
    const run = await chain.request(small(change))
    const { type, data } = await run.ended
    expect(type).toMatch(/rolledback$/)
    expect(data.failure?.message).toContain(says)
    expect(data.failure?.message).toContain('whom the hub grants "provision" on machines.drover.dev')
    expect(factsOf(run)).not.toContain('named')
    expect(await chain.git('rev-parse', 'main')).toBe(before)
  })

  it('whom the hub grants it is held to policy as well', async () => {
    const rules = { allowSources: ['/portal'] }
    chain.interfere('policy/shop.yaml', toYaml({ description: 'only the portal', namespaces: ['shop'], rules }))
    const { data } = await (await chain.request(small({ requester: 'ann@example.com' }))).ended
    expect(data.failure?.message).toContain('source is "/tests", wanted "/portal" (policy: only the portal)')
    chain.interfere('policy/shop.yaml', null)
  })
})

describe('a hub that cannot be asked', { timeout: 120_000 }, () => {
  it('grants nothing to anybody: the run ends, and says so', async () => {
    const chain = await startChain({ DROVER_ACCESS_REVIEW: 'true', DROVER_HUB_CONTEXT: 'nowhere' })
    const run = await chain.request(small({ requester: 'ann@example.com' }))
    const { type, data } = await run.ended
    expect(type).toMatch(/rolledback$/)
    expect(data.failure).toMatchObject({
      task: 'validate',
      message: expect.stringContaining('the Broker gave up after'),
    })
    expect(factsOf(run)).not.toContain('validated')
    await chain.close()
  })
})
