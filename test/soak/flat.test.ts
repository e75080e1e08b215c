import { describe, expect, it } from 'vitest'
import { silentAmong, trendsOf } from './flat.ts'
import type { Sample } from './samples.ts'

const seconds = 600

/** A number that is taken every ten seconds. */
const taken = (value: (at: number) => number, measure: Sample['measure'] = 'memory'): Sample[] =>
  Array.from({ length: 60 }, (_, index) => ({ measure, of: 'commit', at: index * 10, value: value(index * 10) }))

const isFlat = (samples: readonly Sample[]) => trendsOf(samples, seconds).map((trend) => trend.isFlat)

describe('a number', () => {
  it.each<[what: string, value: (at: number) => number, flat: boolean]>([
    ['that stays', () => 80, true],
    ['that goes up and down', (at) => 80 + 15 * Math.sin(at), true],
    ['that rises in the first quarter alone', (at) => (at < 150 ? at : 150), true],
    ['that jumps once for a moment', (at) => (at === 580 ? 900 : 80), true],
    ['that falls', (at) => 200 - at / 10, true],
    ['that rises all the time', (at) => 80 + at / 8, false],
    ['that rises in the end', (at) => (at > 400 ? 160 : 80), false],
  ])('%s', (_, value, flat) => {
    expect(isFlat(taken(value))).toEqual([flat])
  })

  it('is a heap, and then what is left after a collection counts', () => {
    const collected = (every: number, left: (at: number) => number) =>
      taken((at) => left(at) + (at % every) / 3, 'heap')
    expect(isFlat(collected(130, () => 50))).toEqual([true])
    // It is collected less often later on, and as much is left.
    expect(isFlat(taken((at) => 50 + (at < 300 ? at % 60 : at % 150) / 3, 'heap'))).toEqual([true])
    expect(isFlat(collected(130, (at) => 50 + at / 20))).toEqual([false])
  })

  it('that was not taken in time says nothing, and is told of', () => {
    const samples = taken(() => 80).slice(0, 10)
    expect(trendsOf(samples, seconds)).toEqual([])
    expect(silentAmong([], samples, [])).toEqual(['memory commit'])
  })

  it('that was to be taken and never was is told of, and no other', () => {
    const samples = taken(() => 80)
    const wanted = [...samples.slice(0, 1), { measure: 'heap', of: 'build' } as const]
    expect(silentAmong(trendsOf(samples, seconds), samples, wanted)).toEqual(['heap build'])
  })

  it('is judged by its own measure', () => {
    expect(isFlat(taken((at) => (at > 300 ? 40 : 20), 'files'))).toEqual([false])
    expect(isFlat(taken((at) => (at > 300 ? 30 : 20), 'clone'))).toEqual([true])
  })
})
