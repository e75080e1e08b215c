import type { Comparison, Place } from './benchmark.ts'
import { openPushing } from './pushing.ts'
import { median } from './samples.ts'

/** The same run by Drover's functions and by some that do nothing; each answers with milliseconds. */
export interface Hops {
  drover(index: number): Promise<number>
  noOps(index: number): Promise<number>
}

/**
 * Compares runs with what their hops take with functions that do nothing, and one push. They take turns; the first ones, which
 * make the clones, do not count.
 */
export async function besideNoOps(
  place: Place,
  { drover, noOps }: Hops,
  { count, warmups, times }: { count: number; warmups: number; times: number },
): Promise<Comparison[]> {
  const pushing = await openPushing(place)
  const samples = { drover: [] as number[], hops: [] as number[], push: [] as number[] }
  for (let index = -warmups; index < count; index++) {
    const taken = { drover: await drover(index), hops: await noOps(index), push: await pushing.push() }
    if (index < 0) continue
    samples.drover.push(taken.drover)
    samples.hops.push(taken.hops)
    samples.push.push(taken.push)
  }
  await pushing.close()
  place.say(`The hops took ${median(samples.hops).toFixed(0)} ms, one push ${median(samples.push).toFixed(0)} ms`)
  const reference = samples.hops.map((hops, index) => hops + samples.push[index]!)
  return [{ what: '', unit: 'ms', statistic: 'median', drover: samples.drover, reference, limit: { times } }]
}
