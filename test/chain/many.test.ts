import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Chain, isReal, small, startChain } from './harness.ts'

let chain: Chain
beforeAll(async () => {
  // They keep each other waiting: what passes must be let pass, as in production.
  chain = await startChain({ DROVER_GRACE_SECONDS: '30', DROVER_PATIENCE_SECONDS: '40' })
})
afterAll(() => chain.close())

describe('50 requests at once', { timeout: isReal() ? 900_000 : 120_000 }, () => {
  it('get 50 names and 50 addresses, and none is lost or doubled', async () => {
    const pattern = { namePattern: `many${process.pid}-{number:3}`, name: undefined }
    const runs = await Promise.all(Array.from({ length: 50 }, () => chain.request(small(pattern as never))))
    const ended = await Promise.all(runs.map((run) => run.ended))
    const other = ended.filter(({ type }) => type !== 'dev.drover.provision.completed')
    expect(other.map(({ data }) => data.message)).toEqual([])
    expect(new Set(ended.map(({ data }) => data.vmName)).size).toBe(50)
    const addresses = ended.flatMap(
      ({ data }) => data.facts?.interfaces?.flatMap(({ leases }) => leases.map(({ address }) => address)) ?? [],
    )
    expect(addresses).toHaveLength(100)
    expect(new Set(addresses).size).toBe(100)
  })
})
