import type { Benchmark, Comparison } from './benchmark.ts'
import type { Machine } from './machine.ts'
import { median, quantile } from './samples.ts'

/** One comparison with what follows from its samples. */
export interface Row extends Comparison {
  /** The sample that counts, of each. */
  is: { drover: number; reference?: number }
  /** How many times the reference, where there is one. */
  ratio?: number
  /** Whether the limit holds, where there is one. */
  held?: boolean
}

/** What `bench/results/` keeps of a benchmark. */
export interface Result extends Pick<Benchmark, 'name' | 'title' | 'measures' | 'reference'> {
  machine: Machine
  rows: Row[]
}

/** Judges a comparison by the sample that counts. */
export function toRow(comparison: Comparison): Row {
  const { statistic, drover, reference, limit } = comparison
  const of = (values: readonly number[]) => (statistic === 'p99' ? quantile(values, 0.99) : median(values))
  const one = of(drover)
  if (reference.length === 0) {
    return { ...comparison, is: { drover: one }, ...(limit && 'most' in limit ? { held: one <= limit.most } : {}) }
  }
  const other = of(reference)
  const ratio = one / other
  const held = limit && 'times' in limit ? { held: ratio <= limit.times } : {}
  return { ...comparison, is: { drover: one, reference: other }, ratio, ...held }
}
