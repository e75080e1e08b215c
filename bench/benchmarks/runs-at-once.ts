import { cp, mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Benchmark, Comparison, Place } from '../benchmark.ts'
import { type ByHand, byHand } from '../by-hand.ts'
import type { PendingRun } from '../fleet/fleets.ts'
import { commitRun, openClient, tip, toImported } from '../runs.ts'
import { timed } from '../samples.ts'

/** Runs that want to commit to one branch at the same moment: in groups, or each for itself until it gets through. */
export const runsAtOnce: Benchmark = {
  name: 'runs-at-once',
  title: 'Runs at once on one branch',
  measures: '32 and 200 runs that commit at the same moment through one warm client, a commit each, over HTTP',
  reference:
    'each with a warm clone of its own: fetch, fast-import, push, and again after a pause with full jitter; broken off after three minutes',
  quick: false,
  async measure(place) {
    const counts = place.quick ? [32] : [32, 200]
    const comparisons: Comparison[] = []
    for (const runs of counts) comparisons.push(await compare(place, runs))
    return comparisons
  },
}

async function compare(place: Place, runs: number): Promise<Comparison> {
  const machines = place.quick ? 1_000 : 10_000
  const one = async () => (await inGroups(place, machines, runs)).wall
  const other = async () => (await withRetries(place, machines, runs)).wall
  // The reference alone would take an hour for as many samples as elsewhere. Where it is broken off, the ratio is even better than it says.
  const first = { drover: [await one(), await one(), await one()], reference: [await other()] }
  return { what: `${runs} runs`, unit: 'ms', statistic: 'median', ...first, limit: { times: 0.03 } }
}

async function inGroups({ fleets, directory }: Place, machines: number, runs: number) {
  const served = await fleets.serve(machines, runs)
  const fleet = openClient(served, await mkdtemp(join(directory, 'group-')))
  await fleet.head()
  const time = await timed(() => Promise.all(served.runs.map((run) => commitRun(run, fleet))))
  await fleet.close()
  await served.close()
  return time
}

async function withRetries({ fleets, directory, say }: Place, machines: number, runs: number) {
  const served = await fleets.serve(machines, runs)
  const hand = byHand(served)
  const room = await mkdtemp(join(directory, 'retries-'))
  const clones = served.runs.map((_, index) => join(room, `${index}.git`))
  const first = join(room, 'first.git')
  await hand.clone(first)
  // Two hundred clones of one moment are two hundred copies of one.
  for (const clone of clones) await cp(first, clone, { recursive: true })
  const end = performance.now() + longEnough
  let through = 0
  const time = await timed(() =>
    Promise.all(
      served.runs.map(async (run, index) => {
        if (await retry(hand, clones[index]!, run, end)) through += 1
      }),
    ),
  )
  await served.close()
  if (through < runs)
    say(`Of ${runs} runs with optimistic retry ${through} got through in ${Math.round(time.wall / 1_000)} s`)
  return time
}

const longEnough = 180_000
const [firstPause, longestPause] = [100, 10_000]

/** Optimistic retry with full jitter, as https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter describes it. */
async function retry(hand: ByHand, clone: string, run: PendingRun, end: number): Promise<boolean> {
  for (let attempt = 0; ; attempt++) {
    await hand.commit(clone, [toImported(run, tip)])
    if (await hand.push(clone)) return true
    if (performance.now() > end) return false
    await sleep(Math.random() * Math.min(longestPause, firstPause * 2 ** attempt))
    await hand.fetch(clone)
  }
}
