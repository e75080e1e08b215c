import { describe, it } from 'vitest'
import { expectTheSameInAnyOrder } from './any-order.ts'
import { lives } from './lives.ts'

// So many lives for each; `npm run test:delivery` lives many more.
describe('events that come five times, in any order, late and cut off', { timeout: 120_000 }, () => {
  it.each(lives)('leave the same in Git: $name', async ({ scenario }) => {
    await expectTheSameInAnyOrder(await scenario(), 100, 100_000)
  })
})
