import { setTimeout as sleep } from 'node:timers/promises'
import type { Target } from './platform.ts'
import type { Random } from './random.ts'

/** How often each was killed. */
export type Strikes = Map<string, number>

/** Kills all of them in turn, each round in another order, one at a time, until it is to end; then all serve again. */
export async function strikeAll(
  targets: readonly Target[],
  random: Random,
  every: number,
  ending: AbortSignal,
): Promise<Strikes> {
  const strikes: Strikes = new Map(targets.map(({ name }) => [name, 0]))
  while (!ending.aborted)
    for (const { name, strike } of random.shuffled(targets)) {
      // No two pauses alike, so that every moment of a run is met.
      await sleep(every * (0.5 + random.below(1_000) / 1_000), undefined, { signal: ending }).catch(() => undefined)
      if (ending.aborted) break
      await strike(100 + random.below(2_500))
      strikes.set(name, (strikes.get(name) ?? 0) + 1)
    }
  return strikes
}
