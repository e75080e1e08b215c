import { join } from 'node:path'
import { buildBundle } from '../../scripts/build.ts'
import { compileBundle } from '../../scripts/compile.ts'
import { functionNames } from '../../shared/lifecycles.ts'
import type { Benchmark, Comparison } from '../benchmark.ts'
import { wakingFunction } from '../events.ts'
import { residentOf } from '../process-tree.ts'
import { startFunction } from '../servers/function.ts'
import { bundled, startServer } from '../servers/start.ts'

/** How long Knative waits for a function that it had scaled to zero, and what a function holds once it has worked. */
export const start: Benchmark = {
  name: 'start',
  title: 'The start of each function',
  measures:
    'From before the process is started to its first 200; and its memory after its first event, all pages counted',
  reference: 'a bundled `node:http` server that answers everything',
  quick: true,
  async measure(place) {
    const { fleets, directory, quick } = place
    const [bundle, bare] = [join(directory, 'drover.cjs'), await bundled('bare', directory)]
    await buildBundle(bundle)
    await compileBundle(bundle)
    const served = await fleets.serve(100, 1)
    const samples = new Map(functionNames.map((name) => [name, { times: [] as number[], memory: [] as number[] }]))
    const bareTimes: number[] = []
    for (let round = 0; round <= (quick ? 2 : 7); round++) {
      const empty = await startServer(bare, '/', {})
      await empty.close()
      if (round > 0) bareTimes.push(empty.started)
      for (const [name, { times, memory }] of samples) {
        const server = await startFunction(bundle, name, served, directory)
        if (round > 0) times.push(server.started)
        const { headers, body } = wakingFunction(name, served.runs[0]!.run)
        // Whatever it answers: it has loaded what it needs.
        await (await fetch(`http://127.0.0.1:${server.port}/`, { method: 'POST', headers, body })).text()
        if (round > 0) memory.push(residentOf(server.pid))
        await server.close()
      }
    }
    await served.close()
    return [...samples].flatMap(([name, { times, memory }]): Comparison[] => [
      { what: name, unit: 'ms', statistic: 'median', drover: times, reference: bareTimes, limit: { times: 4 } },
      {
        what: `${name}, memory`,
        unit: 'MiB',
        statistic: 'median',
        drover: memory,
        reference: [],
        limit: { most: 100 },
      },
    ])
  },
}
