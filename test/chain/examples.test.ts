import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { lifecycles } from '../../shared/lifecycles.ts'
import { type Chain, startChain } from './harness.ts'
import { aboutIn, example, life } from './life.ts'

let chain: Chain
beforeAll(async () => {
  chain = await startChain({ DROVER_GRACE_SECONDS: '2' })
})
afterAll(() => chain.close())

describe('the examples', () => {
  it('are there for each lifecycle', () => {
    expect([...life].sort()).toEqual(lifecycles.map(({ name }) => name).sort())
  })

  it.each(life)('%s.json completes, in the order of a life', async (lifecycle) => {
    const { type, data } = example(lifecycle)
    expect(type).toBe(`dev.drover.${lifecycle}.requested`)
    const { ended } = await chain.request(data, { lifecycle })
    const { type: end, data: said } = await ended
    expect([end, said.message]).toEqual([
      `dev.drover.${lifecycle}.completed`,
      expect.stringContaining(aboutIn(lifecycle)),
    ])
  })
})
