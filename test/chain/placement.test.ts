import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Chain, small, startChain } from './harness.ts'
import { untampered } from './platform.ts'

let chain: Chain

beforeAll(async () => {
  chain = await startChain()
})
afterAll(() => chain.close())

describe('a name that is given out again', () => {
  it('is placed by its own predicates, not by what OCM decided for the run before', async () => {
    const name = `again-${process.pid}`
    chain.tamper.with = (task) => (task === 'register' ? 400 : undefined)
    const first = await chain.request(small({ name, placement: { predicates: [{ labels: { name: 'site-a' } }] } }))
    expect((await first.ended).type).toMatch(/rolledback$/)
    chain.tamper.with = untampered
    const second = await chain.request(small({ name, placement: { predicates: [{ labels: { name: 'site-b' } }] } }))
    const end = await second.ended
    expect([end.type, end.data.facts?.cluster]).toEqual(['dev.drover.provision.completed', 'site-b'])
  })
})
