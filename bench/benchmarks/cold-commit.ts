import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import type { Benchmark } from '../benchmark.ts'
import { byHand } from '../by-hand.ts'
import { commitRun, openClient, tip, toImported } from '../runs.ts'
import { clocks, inTurns, timed } from '../samples.ts'

/** An instance that has just started makes its first commit: nothing of the fleet is on its disk yet. */
export const coldCommit: Benchmark = {
  name: 'cold-commit',
  title: 'The first commit of an instance, nothing on its disk',
  measures: 'One machine into a repository of 10,000 over HTTP: the step `commit` with a new clone',
  reference: '`git clone --bare --depth=1 --filter=blob:none`, `git fast-import`, `git push`',
  quick: true,
  async measure({ fleets, directory, quick }) {
    const count = quick ? 5 : 15
    const served = await fleets.serve(10_000, 2 * (count + 1))
    const hand = byHand(served)
    const room = () => mkdtemp(join(directory, 'clone-'))
    const drover = async (index: number) => {
      const fleet = openClient(served, await room())
      return timed(
        () => commitRun(served.runs[2 * index]!, fleet),
        () => fleet.close(),
      )
    }
    const reference = async (index: number) => {
      const clone = join(await room(), 'fleet.git')
      return timed(async () => {
        await hand.clone(clone)
        await hand.commit(clone, [toImported(served.runs[2 * index + 1]!, tip)])
        if (!(await hand.push(clone))) throw new Error('Cannot push by hand: the branch has moved')
      })
    }
    const { wall, cpu } = clocks(await inTurns(count, drover, reference))
    await served.close()
    return [
      { what: '', unit: 'ms', statistic: 'median', ...wall, limit: { times: 1.2 } },
      { what: 'processor', unit: 'ms', statistic: 'median', ...cpu },
    ]
  },
}
