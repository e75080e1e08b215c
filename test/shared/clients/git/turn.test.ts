import { describe, expect, it } from 'vitest'
import { openTurn } from '../../../../shared/clients/git/turn.ts'

/** A client that pushes from a moment on without a pause, 100 ms each; answers how long it waited before each push. */
function waits(count: number, isAlone: boolean, took = 100): number[] {
  const turn = openTurn(() => isAlone)
  let now = 10_000
  return Array.from({ length: count }, () => {
    const next = turn.next(now)
    const wait = next - now
    turn.note(next, next, next + took)
    now = next + took
    return wait
  })
}

const indexes = (all: readonly number[]) => all.flatMap((wait, index) => (wait > 0 ? [index] : []))

describe('the turn of a client', () => {
  it('ends after half a second, for as long as four pushes take, and begins anew', () => {
    const all = waits(20, false)
    expect(indexes(all)).toEqual([6, 12, 18])
    expect(all[6]).toBe(400)
  })

  it('lasts eight seconds where nobody else pushes', () => {
    expect(indexes(waits(100, true))).toEqual([81])
  })

  it('begins anew after a pause of its own', () => {
    const turn = openTurn(() => false)
    for (let now = 0; now < 500; now += 100) turn.note(turn.next(now), now, now + 100)
    expect(turn.next(5_000)).toBe(5_000)
  })

  it('does not wait for what failed before a push, nor for long after a push that hung', () => {
    const turn = openTurn(() => false)
    expect(turn.next(1_000)).toBe(1_000)
    turn.note(1_000, Number.NEGATIVE_INFINITY, 61_000)
    expect(turn.next(61_001)).toBe(61_001)
    turn.note(61_001, 61_001, 121_000)
    expect(turn.next(121_001) - 121_001).toBeLessThanOrEqual(2_000)
  })

  it('is not over for who was late for a long time, and then first once', () => {
    const turn = openTurn(() => false)
    turn.note(turn.next(1_000), 4_000, 4_100)
    expect(turn.next(4_101)).toBe(4_101)
  })
})
