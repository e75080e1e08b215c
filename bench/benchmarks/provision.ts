import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { startWorld, type World } from '../../local/world.ts'
import { buildBundle } from '../../scripts/build.ts'
import type { Benchmark } from '../benchmark.ts'
import { besideNoOps } from '../hops.ts'
import { post } from '../provisions.ts'
import { startNoOps } from '../servers/chain.ts'

/** The hops of a run up to its commit, each a delivery and an answer through the Broker. */
const committed = 'create.committed'

/** One machine on a platform at rest: from the POST until its commit is in Git. */
export const provision: Benchmark = {
  name: 'provision',
  title: 'One provision, from POST to commit',
  measures:
    'Through the embedded Broker, every function a process of its own, all warm, the cluster named by the request',
  reference:
    'the same hops through the same Triggers with functions that do nothing, and one `git push` of the same files',
  quick: true,
  async measure(place) {
    const { directory, quick } = place
    const bundle = join(directory, 'drover.cjs')
    await buildBundle(bundle)
    const settings = { DROVER_LOG_LEVEL: 'silent' }
    const rooms = [await mkdtemp(join(directory, 'world-')), await mkdtemp(join(directory, 'world-'))]
    const drover = await startWorld({ directory: rooms[0]!, delays: 0, settings, bundle })
    const noOps = await startWorld({ directory: rooms[1]!, delays: 0, settings, start: startNoOps(directory) })
    const hops = {
      drover: (index: number) => provisioned(drover, index),
      noOps: (index: number) => provisioned(noOps, index),
    }
    const compared = await besideNoOps(place, hops, { count: quick ? 5 : 20, warmups: 2, times: 2 })
    await drover.close()
    await noOps.close()
    return compared
  },
}

async function provisioned(world: World, index: number): Promise<number> {
  const run = await post(world, `bench-${index + 10}`, 'site-a')
  const time = await run.until(committed)
  // What follows the commit is not of the next run.
  await world.idle()
  return time
}
