import { choosePorts } from '../../local/functions.ts'
import type { Real } from '../../test/cluster/platform.ts'
import type { Benchmark } from '../benchmark.ts'
import { besideNoOps } from '../hops.ts'
import { post } from '../provisions.ts'
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
    const hops = {
      drover: (index: number) => provisioned(real, `chain-${index + 10}`),
      noOps: async (index: number) => {
        real.leadTo(ports)
        const time = await provisioned(real, `no-op-${index + 10}`)
        real.leadTo(real.ports)
        return time
      },
    }
    const compared = await besideNoOps(place, hops, { count: quick ? 3 : 6, warmups: 1, times: 1.5 })
    await noOps.close()
    return compared
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
