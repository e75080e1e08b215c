import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import type { Benchmark, Comparison } from '../benchmark.ts'
import { startCommitter } from '../committer.ts'

const atOnce = 5

/** One commit after the other, each with its push, into fleets of every size: what a warm client uses for one. */
export const fleetGrowth: Benchmark = {
  name: 'fleet-growth',
  title: 'One commit as the fleet grows',
  measures: 'What a warm client uses for one commit over HTTP: processor time, and memory with the git that it keeps',
  reference: 'itself in a fleet of 100 machines',
  quick: true,
  async measure({ fleets, directory, quick }) {
    const sizes = quick ? [100, 10_000] : [100, 1_000, 10_000, 100_000]
    const count = quick ? 4 : 12
    const clients = await Promise.all(
      sizes.map(async (machines) => {
        const served = await fleets.serve(machines, (count + 1) * atOnce)
        const committer = startCommitter(served, await mkdtemp(join(directory, 'growth-')))
        return { machines, served, committer, cpu: [] as number[], memory: [] as number[] }
      }),
    )
    for (let round = 0; round <= count; round++) {
      for (const { served, committer, cpu, memory } of clients) {
        const before = committer.usage()
        await committer.commit(served.runs.slice(round * atOnce, (round + 1) * atOnce))
        const after = committer.usage()
        // The first round makes the clone.
        if (round === 0) continue
        cpu.push(((after.cpu - before.cpu) * 1_000) / atOnce)
        memory.push(after.memory)
      }
    }
    for (const { served, committer } of clients) {
      await committer.close()
      await served.close()
    }
    const [smallest, ...others] = clients
    return others.flatMap(({ machines, cpu, memory }): Comparison[] => {
      const size = `${machines.toLocaleString('en')} machines`
      const limit = { times: 1.3 }
      return [
        {
          what: `processor, ${size}`,
          unit: 'ms',
          statistic: 'median',
          drover: cpu,
          reference: smallest?.cpu ?? [],
          limit,
        },
        {
          what: `memory, ${size}`,
          unit: 'MiB',
          statistic: 'median',
          drover: memory,
          reference: smallest?.memory ?? [],
          limit,
        },
      ]
    })
  },
}
