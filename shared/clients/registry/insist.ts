import { setTimeout as sleep } from 'node:timers/promises'
import { DroverError } from '../../errors.ts'

/** How long to wait after each failure that may pass, in milliseconds. */
export const usualPauses: readonly number[] = [1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 60_000]

/** Does it, and again while it fails of what may pass. */
export async function insist<T>(
  attempt: () => Promise<T>,
  pauses: readonly number[],
  say: (sentence: string) => void,
): Promise<T> {
  for (const pause of pauses) {
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof DroverError) || error.reason !== 'busy') throw error
      say(`${error.message}; once more in ${pause / 1000} s`)
      await sleep(pause)
    }
  }
  return attempt()
}
