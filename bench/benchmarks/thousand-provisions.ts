import { cp, mkdtemp, readFile, writeFile } from 'node:fs/promises'
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
    const fleet = await largerFleet(join(directory, 'fleet'))
    const world = await startWorld({ directory: room, delays: 0, settings, bundle, fleet })
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
    const client = openClient(served, join(directory, 'alone'))
    await client.head()
    const { wall: reference } = await timed(() => Promise.all(commits.map((changes) => repeat(client, changes))))
    await client.close()
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

/** So many machines at once keep a simulated cluster from looking at each for longer than an error may last elsewhere. */
const settings = { DROVER_LOG_LEVEL: 'silent', DROVER_GRACE_SECONDS: '45' }

/** The fleet that Drover ships, with addresses for a thousand machines. */
async function largerFleet(to: string): Promise<string> {
  await cp(new URL('../../examples/fleet/', import.meta.url).pathname, to, { recursive: true })
  const network = join(to, 'ipam/servers/network.yaml')
  const text = await readFile(network, 'utf8')
  await writeFile(network, text.replace('10.20.0.0/22', '10.20.0.0/20'))
  return to
}

/** Makes a commit once more, whatever is there. */
const repeat = (fleet: Fleet, changes: Change[]) =>
  fleet.transact({
    subject: 'Once more',
    trailers: { run: 'bench', step: 'repeat', lifecycle: 'provision', requester: '/bench' },
    decide: async () => ({ changes, value: undefined }),
  })
