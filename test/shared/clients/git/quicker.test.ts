import { beforeEach, describe, expect, it, vi } from 'vitest'
import { type Quicker, quicker } from '../../../../shared/clients/git/quicker.ts'

const minutes = 60_000

describe('a quicker way than git', () => {
  let way: Quicker
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance'] })
    way = quicker()
  })

  it('is tried at first, and after two failures', () => {
    expect(way.isTried).toBe(true)
    way.went(false)
    way.went(false)
    expect(way.isTried).toBe(true)
  })

  it('is left alone for ten minutes after three failures, one after the other', () => {
    for (let time = 0; time < 3; time++) way.went(false)
    expect(way.isTried).toBe(false)
    vi.advanceTimersByTime(10 * minutes - 1)
    expect(way.isTried).toBe(false)
    vi.advanceTimersByTime(1)
    expect(way.isTried).toBe(true)
  })

  it('has three failures again before the next rest', () => {
    for (let time = 0; time < 3; time++) way.went(false)
    vi.advanceTimersByTime(10 * minutes)
    way.went(false)
    way.went(false)
    expect(way.isTried).toBe(true)
    way.went(false)
    expect(way.isTried).toBe(false)
  })

  it('has three failures again, whatever else was still under way when the rest began', () => {
    for (let time = 0; time < 5; time++) way.went(false)
    vi.advanceTimersByTime(10 * minutes)
    way.went(false)
    expect(way.isTried).toBe(true)
  })

  it('is not left alone where it went well in between', () => {
    for (const well of [false, false, true, false, false]) way.went(well)
    expect(way.isTried).toBe(true)
  })
})
