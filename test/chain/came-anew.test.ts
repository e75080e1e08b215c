import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { claimsFile } from '../../shared/paths.ts'
import { runId } from '../../shared/run.ts'
import { parseYaml } from '../../shared/yaml.ts'
import { type Chain, factsOf, isReal, startChain } from './harness.ts'
import { contentIn, dataOnly, machinesOf } from './machines.ts'
import { type Asked, cluster, placesOf, requests } from './set-ups.ts'

/**
 * A data disk whose claim vanishes in the middle of a run, and comes anew with nothing on it: all would turn green, and the
 * data be gone. While a guest runs, Kubernetes holds its claims; so it is done once the machine is off.
 */

let chain: Chain
const machines = machinesOf(() => chain)
const places = placesOf(machines)
/** The event that nobody hears of until a claim is lost, by the run. */
const held = new Map<string, string>()

beforeAll(async () => {
  chain = await startChain({ DROVER_GRACE_SECONDS: '2', DROVER_PATIENCE_SECONDS: '10' })
  // The Broker brings it again.
  chain.tamper.with = (_, { type, run }) => (held.get(run) === type ? 503 : undefined)
})
afterAll(() => chain.close())

interface Row {
  lifecycle: Asked
  /** What the run hears of when the claim has come anew. */
  after: string
  /** The task that sees it; none where the run itself has put the disks back. */
  seenBy?: string
  ends: 'completed' | 'rolledback' | 'stranded'
}

const rows: Row[] = [
  { lifecycle: 'repave', after: 'stop.verified', seenBy: 'check', ends: 'rolledback' },
  { lifecycle: 'patch', after: 'patch.verified', seenBy: 'start.verify', ends: 'rolledback' },
  { lifecycle: 'resize', after: 'stop.verified', seenBy: 'start.verify', ends: 'rolledback' },
  { lifecycle: 'power', after: 'stop.verified', seenBy: 'start.verify', ends: 'rolledback' },
  // Its machine has left the fleet by then.
  { lifecycle: 'deprovision', after: 'stop.verified', seenBy: 'remove.verify', ends: 'stranded' },
  { lifecycle: 'restore', after: 'stop.verified', ends: 'completed' },
]

describe.skipIf(isReal())('a claim that comes anew in the middle of a run', { timeout: 300_000 }, () => {
  it.concurrent.each(rows)('of $lifecycle, after $after: it ends $ends', async ({ lifecycle, after, seenBy, ends }) => {
    const { namespace, name } = await places.take(lifecycle)
    const vm = { cluster, namespace, name }
    const before = await machines.recorded(vm)
    const [claim = ''] = Object.keys(before).filter((one) => one.includes('-data-data-'))
    const contentOf = async () => contentIn(await chain.look(cluster, 'PersistentVolumeClaim', namespace, claim))
    const content = await contentOf()
    const type = `dev.drover.${lifecycle}.${after}`
    const id = `loses ${lifecycle}`
    held.set(runId('/tests', id), type)
    const run = await chain.request(requests[lifecycle]({ namespace, name }), { lifecycle, id })
    await chain.feed.first((seen) => seen.run === run.id && seen.type === type)
    await chain.lose?.(cluster, namespace, claim)
    held.delete(run.id)
    const ended = await run.ended
    expect([ended.type, ended.data.message]).toEqual([`dev.drover.${lifecycle}.${ends}`, expect.anything()])
    const failed = run.events().find((one) => one.type.endsWith('.failed'))
    expect(failed?.type).toBe(seenBy && `dev.drover.${lifecycle}.${seenBy}.failed`)
    if (seenBy === undefined) {
      // What the run made is what is recorded from now on, with the data of its snapshot.
      expect(dataOnly(await machines.claimsOf(vm))).toEqual(await machines.recorded(vm))
      expect(await contentOf()).toBe(content)
      return
    }
    expect(failed?.data.message).toMatch(
      new RegExp(
        `the claim ${claim} of a data disk came anew: it was ${before[claim]} and is [^ ]+; its data may be lost`,
      ),
    )
    expect(factsOf(run)).not.toContain('completed')
    if (ends === 'stranded') return
    // The data is nowhere else.
    if (lifecycle === 'repave') {
      const { snapshots = [] } = await machines.definitionOf(vm)
      const left = snapshots.filter((one) => one.run === run.id)
      expect(left).toEqual([expect.not.objectContaining({ until: expect.anything() })])
      expect(ended.data.message).toContain(`Snapshot ${left[0]?.name} stays until somebody lets it go`)
    }
    await expectStopped(lifecycle, vm, claim)
  })
})

/** The next run is stopped too, until a person has looked; but for an undo that has put the disks back from a snapshot. */
async function expectStopped(lifecycle: Asked, vm: Parameters<typeof machines.recorded>[0], claim: string) {
  const { namespace, name } = vm
  const recorded = parseYaml(await chain.git('show', `main:${claimsFile(cluster, namespace, name)}`)) as object
  const live = dataOnly(await machines.claimsOf(vm))
  if (lifecycle === 'patch') return expect(live).toEqual(recorded)
  expect(live).not.toEqual(recorded)
  const { ended } = await machines.asked('migrate', { namespace, name })
  expect([ended.type, ended.data.message]).toEqual([
    'dev.drover.migrate.rolledback',
    expect.stringContaining(`the claim ${claim} of a data disk came anew`),
  ])
}
