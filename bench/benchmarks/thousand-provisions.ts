import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { startWorld } from '../../local/world.ts'
import { buildBundle } from '../../scripts/build.ts'
import type { Change, Fleet } from '../../shared/fleet.ts'
import type { Benchmark } from '../benchmark.ts'
import { commitsSince, tipOf } from '../history.ts'
import { post } from '../provisions.ts'
import { openClient } from '../runs.ts'
import { timed } from '../samples.ts'

/** A morning on which everybody wants a machine: all posted at once, until the last one is complete. */
export const thousandProvisions: Benchmark = {
  name: 'thousand-provisions',
  title: 'A thousand provisions at once',
  measures: 'From the first POST until the last run is complete, with simulated clusters that take no time',
  reference: 'the commits that these runs made, by the client alone: they can only go one after the other',
  quick: false,
  async measure({ directory, fleets, quick, say }) {
    const runs = quick ? 100 : 1_000
    const bundle = join(directory, 'drover.cjs')
    await buildBundle(bundle)
    const room = await mkdtemp(join(directory, 'many-'))
    const world = await startWorld({ directory: room, delays: 0, settings: { DROVER_LOG_LEVEL: 'silent' }, bundle })
    const warm = await post(world, 'warm-1', 'site-a')
    await warm.until('completed')
    await world.idle()
    const before = await tipOf(world.git.path)
    const began = performance.now()
    const posted = await Promise.all(
      Array.from({ length: runs }, (_, index) => post(world, `many-${index}`, index % 2 ? 'site-a' : 'site-b')),
    )
    await Promise.all(posted.map((one) => one.until('completed')))
    const drover = performance.now() - began
    await world.idle()
    const commits = await commitsSince(world.git.path, before)
    const served = await fleets.serveCopy(world.git.path, before)
    await world.close()
    const fleet = openClient(served, join(directory, 'alone'))
    await fleet.head()
    const { wall: reference } = await timed(() => Promise.all(commits.map((changes) => repeat(fleet, changes))))
    await fleet.close()
    await served.close()
    say(`${runs} runs made ${commits.length} commits`)
    return [
      {
        what: `${runs.toLocaleString('en')} runs`,
        unit: 'ms',
        statistic: 'median',
        drover: [drover],
        reference: [reference],
        limit: { times: 2 },
      },
    ]
  },
}

/** Makes a commit once more, whatever is there. */
const repeat = (fleet: Fleet, changes: Change[]) =>
  fleet.transact({
    subject: 'Once more',
    trailers: { run: 'bench', step: 'repeat', lifecycle: 'provision', requester: '/bench' },
    decide: async () => ({ changes, value: undefined }),
  })
