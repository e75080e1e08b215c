import { quantile } from '../../bench/samples.ts'
import type { Measure, Measured, Sample } from './samples.ts'

/** What became of one number: how high it was in the second quarter of the time and in the last. */
export interface Trend {
  measure: Measure
  of: string
  before: number
  after: number
  /** How much it may have grown. */
  most: number
  isFlat: boolean
}

/**
 * How much a number may grow and still be called flat: by a share, or by what a heap breathes. The first quarter does not count,
 * for caches fill then. A clone grows with what is committed, as any clone does, until it is packed anew.
 */
const allowed: Record<Measure, { share: number; least: number; height: number }> = {
  memory: { share: 0.15, least: 12, height: 0.5 },
  // What is left after a collection: until the next one a heap grows with whatever is done, and those are minutes apart.
  heap: { share: 0.2, least: 8, height: 0.1 },
  files: { share: 0.2, least: 6, height: 0.5 },
  clone: { share: 0.5, least: 16, height: 0.5 },
}

/** The numbers that tell nothing: of those that were to be taken, or were at some time, each that was not often enough. */
export function silentAmong(
  trends: readonly Trend[],
  samples: readonly Sample[],
  wanted: readonly Measured[],
): string[] {
  const keyOf = ({ measure, of }: Measured) => `${measure} ${of}`
  const told = trends.map(keyOf)
  return [...new Set([...wanted, ...samples].map(keyOf))].filter((key) => !told.includes(key))
}

/** What became of each number that was taken often enough to tell. */
export function trendsOf(samples: readonly Sample[], seconds: number): Trend[] {
  const keys = [...new Set(samples.map(({ measure, of }) => `${measure} ${of}`))]
  return keys.flatMap((key) => {
    const own = samples.filter(({ measure, of }) => `${measure} ${of}` === key)
    const [first] = own
    const during = (from: number, to: number) =>
      own.filter(({ at }) => at >= from * seconds && at < to * seconds).map(({ value }) => value)
    const [early, late] = [during(0.25, 0.5), during(0.75, Number.POSITIVE_INFINITY)]
    if (!first || early.length === 0 || late.length === 0) return []
    const { measure, of } = first
    const { share, least, height } = allowed[measure]
    const [before, after] = [quantile(early, height), quantile(late, height)]
    const most = Math.max(before * share, least)
    return [{ measure, of, before, after, most, isFlat: after - before <= most }]
  })
}
