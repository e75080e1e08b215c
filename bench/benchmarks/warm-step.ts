import { join } from 'node:path'
import { buildBundle } from '../../scripts/build.ts'
import type { FunctionName } from '../../shared/lifecycles.ts'
import type { Benchmark, Comparison } from '../benchmark.ts'
import { waking } from '../events.ts'
import { type Load, load } from '../load.ts'
import { usageOf } from '../process-tree.ts'
import { startFunction } from '../servers/function.ts'
import { bundled, type Server, startServer } from '../servers/start.ts'

const connections = 50

/** The steps that only think: what they add to an event is what the shell and they themselves cost. */
const steps: readonly { task: string; by: FunctionName }[] = [
  { task: 'customize', by: 'build' },
  { task: 'create.build', by: 'build' },
  { task: 'notify', by: 'notify' },
]

/** A function that is warm: how many events it answers in a second, and how late the latest are. */
export const warmStep: Benchmark = {
  name: 'warm-step',
  title: 'A warm step over HTTP',
  measures: 'Events of 50 runs over 50 connections to a bundled function, signature checked and answer signed',
  reference: 'a bundled function on faas-js-runtime that takes the same CloudEvents and does nothing',
  quick: true,
  async measure({ fleets, directory, quick }) {
    const bundle = join(directory, 'drover.cjs')
    await buildBundle(bundle)
    const noOp = await startServer(await bundled('no-op', directory), '/health/readiness', {})
    const served = await fleets.serve(100, connections)
    const comparisons: Comparison[] = []
    for (const { task, by } of steps) {
      const server = await startFunction(bundle, by, served, directory)
      const shots = served.runs.map(({ run }) => waking(task, run))
      const [rounds, count] = quick ? [2, 200] : [6, 3_000]
      const fire = async (at: Server) => {
        const before = usageOf(at.pid).cpu
        const fired = await load(at.port, shots, count, connections)
        return { ...fired, cpu: (usageOf(at.pid).cpu - before) * 1_000 }
      }
      const loads = { drover: [] as (Load & { cpu: number })[], reference: [] as (Load & { cpu: number })[] }
      for (let round = 0; round <= rounds; round++) {
        const pair = { drover: await fire(server), reference: await fire(noOp) }
        // In the first round both get warm.
        if (round === 0) continue
        loads.drover.push(pair.drover)
        loads.reference.push(pair.reference)
      }
      await server.close()
      const both = (of: (load: Load & { cpu: number }) => number[]) => ({
        drover: loads.drover.flatMap(of),
        reference: loads.reference.flatMap(of),
      })
      comparisons.push(
        {
          what: `${task}, an event`,
          unit: 'ms',
          statistic: 'median',
          ...both(({ elapsed }) => [elapsed / count]),
          limit: { times: 1.5 },
        },
        {
          what: `${task}, p99`,
          unit: 'ms',
          statistic: 'p99',
          ...both(({ latencies }) => latencies),
          limit: { times: 1.5 },
        },
        { what: `${task}, processor`, unit: 'ms', statistic: 'median', ...both(({ cpu }) => [cpu / count]) },
      )
    }
    await noOp.close()
    await served.close()
    return comparisons
  },
}
