import { describe, expect, it } from 'vitest'
import { eventType } from '../../shared/event-types.ts'
import { lifecycles } from '../../shared/lifecycles.ts'
import { check } from '../../shared/schema/check.ts'
import { requests } from '../../shared/schema/requests.ts'
import { lives } from './lives.ts'

const all = (seed: string, count: number, faulty = true) =>
  lives(seed, count, faulty).flatMap(({ waves }) => waves.flat())

describe('lives', () => {
  it('are the same for the same seed, and others for another', () => {
    expect(lives('one', 300, true)).toEqual(lives('one', 300, true))
    expect(all('one', 300).map(({ data }) => data)).not.toEqual(all('two', 300).map(({ data }) => data))
  })

  it.each([1, 2, 100, 2_000])('have %i requests in all, each with an id of its own', (count) => {
    const asked = all('seed', count)
    expect(asked).toHaveLength(count)
    expect(new Set(asked.map(({ run }) => run)).size).toBe(count)
  })

  it('ask for every lifecycle, well and wrong, doubled and two at once', () => {
    const asked = all('seed', 500)
    expect(new Set(asked.map(({ lifecycle }) => eventType(lifecycle, 'requested')))).toEqual(
      new Set(lifecycles.map(({ name }) => eventType(name, 'requested'))),
    )
    expect(new Set(asked.map(({ expected }) => expected))).toEqual(new Set(['completed', 'rolledback', 'either']))
    expect(new Set(asked.map(({ again }) => again))).toEqual(new Set([undefined, 'at once', 'later']))
    expect(lives('seed', 500, true).some(({ waves }) => waves.some((wave) => wave.length > 1))).toBe(true)
  })

  it('ask for nothing that the schema of its request refuses, where it is to be completed', () => {
    const wrong = all('seed', 2_000).flatMap(({ lifecycle, data, expected }) => {
      const checked = check(requests[lifecycle], data, lifecycle)
      return expected === 'completed' && !checked.ok ? checked.problems : []
    })
    expect(wrong).toEqual([])
  })

  it('ask for nothing that goes wrong on the cluster, where nothing can be made to', () => {
    const spaces = new Set(all('seed', 2_000, false).map(({ data }) => (data as { namespace: string }).namespace))
    expect([...spaces].filter((space) => /unlucky|frail/.test(space))).toEqual([])
  })
})
