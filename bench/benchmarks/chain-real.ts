import { choosePorts } from '../../local/functions.ts'
import type { Real } from '../../test/cluster/platform.ts'
import type { Benchmark } from '../benchmark.ts'
import { post } from '../provisions.ts'
import { openPushing } from '../pushing.ts'
import { median } from '../samples.ts'
import { startNoOps } from '../servers/chain.ts'

/** The same as `provision`, through Knative Eventing itself: what a Broker of its kind takes for a hop is not ours to change. */
export const chainReal: Benchmark = {
  name: 'chain-real',
  title: 'One provision on the real control plane, from POST to commit',
  measures: 'Through Knative Eventing, every function a process of its own, all warm, the cluster named by the request',
  reference:
    'the same hops through the same Triggers with functions that do nothing, and one `git push` of the same files',
  quick: false,
  real: true,
  async measure(place) {
    const { directory, quick } = place
    const real = await place.real()
    const ports = await choosePorts()
    const noOps = await startNoOps(directory)(ports)
    const pushing = await openPushing(place)
    const samples = { drover: [] as number[], hops: [] as number[], push: [] as number[] }
    const count = quick ? 3 : 6
    for (let index = -1; index < count; index++) {
      const one = await provisioned(real, `chain-${index + 10}`)
      real.leadTo(ports)
      const hops = await provisioned(real, `no-op-${index + 10}`)
      real.leadTo(real.ports)
      const push = await pushing.push()
      // The first makes the clones.
      if (index < 0) continue
      samples.drover.push(one)
      samples.hops.push(hops)
      samples.push.push(push)
    }
    await pushing.close()
    await noOps.close()
    const reference = samples.hops.map((hops, index) => hops + samples.push[index]!)
    place.say(`The hops took ${median(samples.hops).toFixed(0)} ms, one push ${median(samples.push).toFixed(0)} ms`)
    return [{ what: '', unit: 'ms', statistic: 'median', drover: samples.drover, reference, limit: { times: 1.5 } }]
  },
}

/** Milliseconds to the commit; what follows it is not of the next run. */
async function provisioned(real: Real, name: string): Promise<number> {
  const run = await post(real, name, 'site-a')
  const time = await run.until('create.committed')
  await run.until('completed')
  await real.idle()
  return time
}
