import { describe, it } from 'vitest'
import { expectTheSameInAnyOrder } from '../model/any-order.ts'
import { lives } from '../model/lives.ts'

describe('events that come five times, in any order, late and cut off', { timeout: 600_000 }, () => {
  it.each(lives)('leave the same in Git: $name, in three thousand orders', async ({ scenario }) => {
    await expectTheSameInAnyOrder(await scenario(), 3_000, 540_000)
  })
})
