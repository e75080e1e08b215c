import fc from 'fast-check'
import { expect } from 'vitest'
import { environment } from '../../shared/config.ts'

/** The seed of this run's mutations: `FUZZ_SEED=…` does the same ones again. */
export const seed = Number(environment()['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

/** How long one value may keep a processor busy, in milliseconds: twice what is wanted, for machines that are half as fast. */
const longest = 100

/** Calls it, and again where it was slow: what hangs hangs each time. Other processes' time is not counted. */
export function swiftly<T>(act: () => T): T {
  let best = Number.POSITIVE_INFINITY
  let result: T
  let tries = 0
  do {
    const begun = process.threadCpuUsage()
    result = act()
    const { user, system } = process.threadCpuUsage(begun)
    best = Math.min(best, (user + system) / 1_000)
  } while (best > longest && ++tries < 4)
  expect(best, 'milliseconds that one value took').toBeLessThanOrEqual(longest)
  return result
}

/** So many of the values, each held to what is to be true of it. */
export function each<T>(values: fc.Arbitrary<T>, runs: number, holds: (value: T) => void): void {
  fc.assert(fc.property(values, holds), { numRuns: runs, seed })
}

/** The same of what takes a while. */
export function eachInTurn<T>(
  values: fc.Arbitrary<T>,
  runs: number,
  holds: (value: T) => Promise<void>,
): Promise<void> {
  return fc.assert(fc.asyncProperty(values, holds), { numRuns: runs, seed })
}

/** A sentence that a person can read in a log or a terminal: one line, of text that shows. */
export function isSentence(text: string): boolean {
  return text.length > 3 && text.isWellFormed() && !/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u.test(text)
}
