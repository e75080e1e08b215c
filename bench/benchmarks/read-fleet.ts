import { join } from 'node:path'
import type { Tree } from '../../shared/fleet.ts'
import { readHolder } from '../../shared/holder.ts'
import { allocate } from '../../shared/ipam/allocate.ts'
import { readPool, usedIn } from '../../shared/ipam/pool.ts'
import { nameFile, networkFolder, policyFolder } from '../../shared/paths.ts'
import { readPolicies } from '../../shared/policies.ts'
import type { Benchmark, Comparison } from '../benchmark.ts'
import { byHand } from '../by-hand.ts'
import { wordsOf } from '../fleet/words.ts'
import { openClient } from '../runs.ts'
import { clocks, inTurns, timed } from '../samples.ts'

const folderOf = (path: string) => `${path.slice(0, path.lastIndexOf('/'))}/`

/** What a run reads of the fleet before it changes anything: never the whole of it, however large it is. */
export const readFleet: Benchmark = {
  name: 'read-fleet',
  title: 'Reading a large fleet',
  measures:
    'Policy, a name that nobody has, and the next free address, of 100,000 machines (10,000 with `--quick`), in a clone that is there',
  reference: 'one `git ls-tree` of the folder concerned',
  quick: false,
  async measure({ fleets, directory, quick }) {
    const machines = quick ? 10_000 : 100_000
    const count = quick ? 15 : 60
    const served = await fleets.serve(machines)
    const fleet = openClient(served, join(directory, 'reading'))
    const hand = byHand(served)
    const clone = join(directory, 'reading-by-hand.git')
    await hand.clone(clone)
    const any = () => wordsOf(Math.floor(Math.random() * machines))
    const another = () => wordsOf(machines + Math.floor(Math.random() * machines))
    const rows: [string, string, (tree: Tree) => Promise<unknown>][] = [
      ['policy', `${policyFolder}/`, readPolicies],
      ['name check', folderOf(nameFile(any().name)), (tree) => readHolder(tree, another().name)],
      ['address search', `${networkFolder(any().network)}/`, (tree) => nextAddress(tree, any().network)],
    ]
    // Warm: it has given out an address of each network before.
    const tree = await fleet.head()
    const networks = new Set(
      Array.from({ length: Math.ceil(machines / 100) }, (_, index) => wordsOf(index * 100).network),
    )
    await Promise.all([...networks].map((network) => nextAddress(tree, network)))
    const comparisons: Comparison[] = []
    for (const [what, folder, read] of rows) {
      const samples = await inTurns(
        count,
        () => timed(async () => read(await fleet.head())),
        () => timed(() => hand.git(clone, 'ls-tree', 'main', folder)),
      )
      const { wall, cpu } = clocks(samples)
      comparisons.push({ what, unit: 'ms', statistic: 'median', ...wall, limit: { times: 2 } })
      comparisons.push({ what: `${what}, processor`, unit: 'ms', statistic: 'median', ...cpu })
    }
    await fleet.close()
    await served.close()
    return comparisons
  },
}

async function nextAddress(tree: Tree, name: string): Promise<void> {
  const pool = await readPool(tree, name)
  if ('problems' in pool) throw new Error(`Cannot read network ${name}: ${pool.problems.join('; ')}`)
  const found = allocate(name, pool.subnets, usedIn(pool))
  if (!found.ok) throw new Error(`Cannot find an address: ${found.problems.join('; ')}`)
}
