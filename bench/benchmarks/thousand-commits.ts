import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import type { Benchmark } from '../benchmark.ts'
import { byHand } from '../by-hand.ts'
import { commitRun, openClient, tip, toImported } from '../runs.ts'
import { clocks, inTurns, timed } from '../samples.ts'

/** A thousand runs that are ready to commit at once: each gets a commit of its own, all go in one push. */
export const thousandCommits: Benchmark = {
  name: 'thousand-commits',
  title: 'A thousand runs committed in one push',
  measures: '1,000 runs at once through one client, a commit each, into a repository of 10,000 machines over HTTP',
  reference: '`git fast-import` of the same commits, and one `git push`',
  quick: false,
  async measure({ fleets, directory, quick }) {
    const runs = 1_000
    const room = () => mkdtemp(join(directory, 'thousand-'))
    const drover = async () => {
      const served = await fleets.serve(10_000, runs)
      const fleet = openClient(served, await room(), { runs, milliseconds: 0 })
      await fleet.head()
      const time = await timed(() => Promise.all(served.runs.map((one) => commitRun(one, fleet))))
      await fleet.close()
      await served.close()
      return time
    }
    const reference = async () => {
      const served = await fleets.serve(10_000, runs)
      const hand = byHand(served)
      const clone = join(await room(), 'fleet.git')
      await hand.clone(clone)
      const commits = served.runs.map((one, place) => toImported(one, place === 0 ? tip : undefined))
      const time = await timed(async () => {
        await hand.commit(clone, commits)
        if (!(await hand.push(clone))) throw new Error('Cannot push by hand: the branch has moved')
      })
      await served.close()
      return time
    }
    const { wall, cpu } = clocks(await inTurns(quick ? 1 : 5, drover, reference))
    return [
      { what: '', unit: 'ms', statistic: 'median', ...wall, limit: { times: 1.5 } },
      { what: 'processor', unit: 'ms', statistic: 'median', ...cpu },
    ]
  },
}
