import type { Real } from '../test/cluster/platform.ts'
import type { Fleets } from './fleet/fleets.ts'

/** One thing that is measured, beside the reference that says what it could be at best, in one and the same run. */
export interface Benchmark {
  /** How it is called on the command line, and its files. */
  name: string
  title: string
  /** What is compared with what, for people. */
  measures: string
  reference: string
  /** True where it takes a few seconds: `--quick` runs these alone. */
  quick: boolean
  /** True where it takes real controllers: where there are none it is left out. */
  real?: boolean
  measure(place: Place): Promise<Comparison[]>
}

/** What a benchmark may use. */
export interface Place {
  /** A folder that is removed afterwards. */
  directory: string
  fleets: Fleets
  /** Drover on real controllers, the same for all benchmarks. */
  real(): Promise<Real>
  /** Half the samples, and no more than a benchmark needs to say anything. */
  quick: boolean
  say(sentence: string): void
}

/** Samples of Drover and of its reference. */
export interface Comparison {
  /** Which part of the benchmark; empty where there is only one. */
  what: string
  unit: 'ms' | 'MiB'
  /** Which sample counts: the middle one, or the one that 99 of 100 lie below. */
  statistic: 'median' | 'p99'
  drover: readonly number[]
  /** Nothing where the limit is an absolute one. */
  reference: readonly number[]
  /** At most so many times the reference, or at most so much. Without a limit it is shown, not judged. */
  limit?: { times: number } | { most: number }
}
