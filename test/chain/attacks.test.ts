import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Chain, factsOf, small, startChain } from './harness.ts'
import { untampered } from './platform.ts'

let chain: Chain

beforeAll(async () => {
  chain = await startChain()
})
afterAll(() => chain.close())

const isTerminal = (fact: string) => /^(completed|rolledback|stranded)$/.test(fact)

describe('a request', () => {
  it('does not take over a machine that people made, nor does its undo remove it', async () => {
    const data = small({ placement: { cluster: 'site-a' } })
    const metadata = { name: data.name ?? '', namespace: 'shop' }
    const spec = { runStrategy: 'Halted', template: { spec: { domain: { devices: {}, memory: { guest: '1Gi' } } } } }
    await chain.make('site-a', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } })
    await chain.make('site-a', { apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachine', metadata, spec })
    const end = await (await chain.request(data)).ended
    expect(end.data.failure?.message).toContain('has a VirtualMachine of that name already')
    expect(end.type).toMatch(/rolledback$/)
    expect((await chain.look('site-a', 'VirtualMachine', 'shop', metadata.name))?.['spec']).toMatchObject({
      runStrategy: 'Halted',
    })
  })

  it('does not take over an Application that people made', async () => {
    const data = small()
    const metadata = { name: data.name ?? '', namespace: 'argocd' }
    const spec = { project: 'default', destination: { name: 'hub', namespace: 'grafana' } }
    await chain.make('hub', { apiVersion: 'argoproj.io/v1alpha1', kind: 'Application', metadata, spec })
    const end = await (await chain.request(data)).ended
    expect(end.data.failure?.message).toContain('Argo CD has an Application of that name for something else already')
    expect((await chain.look('hub', 'Application', 'argocd', metadata.name))?.['spec']).toEqual(spec)
  })

  it('that comes again with nonsense under the same id does not undo the run in flight', async () => {
    chain.tamper.with = (name) => (name === 'verify' ? 503 : undefined)
    const data = small()
    const run = await chain.request(data, { id: 'same-id' })
    await chain.feed.first((seen) => seen.run === run.id && seen.type.endsWith('.create.committed'))
    await chain.request({ nonsense: true }, { id: 'same-id' })
    await chain.feed.first((seen) => seen.run === run.id && seen.type.endsWith('.validate.failed'))
    await chain.request({ ...data, namespace: 'office' }, { id: 'same-id' })
    chain.tamper.with = untampered
    expect((await run.ended).type).toMatch(/completed$/)
    await chain.idle()
    expect(factsOf(run).filter(isTerminal)).toEqual(['completed'])
  })

  it('that claims to have come a long way is no loop', async () => {
    const run = await chain.request(small(), { extensions: { hops: '95' } })
    expect((await run.ended).type).toMatch(/completed$/)
  })
})
