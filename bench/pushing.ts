import { join } from 'node:path'
import type { Place } from './benchmark.ts'
import { byHand } from './by-hand.ts'
import { tip, toImported } from './runs.ts'

/** Pushes the commits of machines one after the other, from a clone that is there. */
export interface Pushing {
  /** Milliseconds of the push alone. */
  push(): Promise<number>
  close(): Promise<void>
}

const most = 40

/** A small fleet of its own, so that nobody else has to fetch what is pushed to it. */
export async function openPushing({ fleets, directory }: Place): Promise<Pushing> {
  const served = await fleets.serve(100, most)
  const hand = byHand(served)
  const clone = join(directory, 'pushing.git')
  await hand.clone(clone)
  let next = 0
  return {
    async push() {
      await hand.commit(clone, [toImported(served.runs[next++]!, tip)])
      const began = performance.now()
      await hand.push(clone)
      return performance.now() - began
    },
    close: () => served.close(),
  }
}
