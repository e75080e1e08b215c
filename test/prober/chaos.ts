import { setTimeout as sleep } from 'node:timers/promises'
import type { Target } from './platform.ts'
import type { Random } from './random.ts'
import type { Check } from './verdict.ts'

export interface Strikes {
  /** How often each was killed. */
  kills: ReadonlyMap<string, number>
  /** How often all of them had their turn. */
  rounds: number
}

/** Kills all of them in turn, each round in another order, one at a time, until it is to end; then all serve again. */
export async function strikeAll(
  targets: readonly Target[],
  random: Random,
  every: number,
  ending: AbortSignal,
): Promise<Strikes> {
  const kills = new Map(targets.map(({ name }) => [name, 0]))
  for (let rounds = 0; ; rounds += 1)
    for (const { name, strike } of random.shuffled(targets)) {
      // No two pauses alike, so that every moment of a run is met.
      await sleep(every * (0.5 + random.below(1_000) / 1_000), undefined, { signal: ending }).catch(() => undefined)
      if (ending.aborted) return { kills, rounds }
      if (await strike(100 + random.below(2_500))) kills.set(name, (kills.get(name) ?? 0) + 1)
    }
}

/** That what was to be killed was: all else is easy where everything runs. A short time is not enough for each part's turn. */
export function strikeCheck({ kills, rounds }: Strikes): Check {
  const [killed, spared] = [[...kills].filter(([, times]) => times > 0), [...kills].filter(([, times]) => times === 0)]
  const says = rounds > 0 ? spared.map(([name]) => `${name} never was`) : killed.length > 0 ? [] : ['none was']
  return {
    title:
      rounds > 0 ? 'every part was killed' : `parts were killed: ${killed.length} of ${kills.size}, before it was over`,
    problems: says.map((one) => ({ says: one, runs: [] })),
  }
}
