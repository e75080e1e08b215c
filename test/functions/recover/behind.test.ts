import { describe, expect, it } from 'vitest'
import { strand } from '../../../functions/recover/strand.ts'
import { type Clients, undo } from '../../../functions/recover/undo.ts'
import { readRecord } from '../../../shared/ledger.ts'
import { lifecycleOf } from '../../../shared/lifecycles.ts'
import { databaseServer } from '../../shared/kubevirt/definitions.ts'
import { changing, commitAs, fleetHaving, gitops } from '../changes.ts'
import { hereOf } from '../here.ts'
import { machinesShowing } from '../machines.ts'

/** An event that comes once more, when its run is further, may fail: what its task waits for is over by then. */
async function undoneAt(task: string, failing: string) {
  const fleet = await fleetHaving(databaseServer())
  await commitAs(changing('patch', {}, task), fleet)
  const clients: Clients = {
    ...{ fleet, gitops, rootApplication: gitops.rootApplication, cmdb: undefined, undoMinutes: 15 },
    machines: machinesShowing(),
    goldenImages: { watch: () => expect.fail('it is about a machine') },
  }
  const title = lifecycleOf('patch').tasks.find(({ name }) => name === failing)?.title ?? ''
  const failure = { task: failing, title, message: 'it failed' }
  const { here, endPatience } = hereOf()
  endPatience()
  const run = changing('patch', {}, 'undo', { failure })
  return { outcome: await undo(run, clients, here), record: await readRecord(await fleet.head(), run.id) }
}

describe('the undo of such a failure that the Broker gives up', () => {
  it('leaves nothing to a person: the run goes on', async () => {
    const fleet = await fleetHaving(databaseServer())
    await commitAs(changing('patch', {}, 'patch.commit'), fleet)
    const stale = { task: 'stop.verify', title: 'Wait until it is off', message: 'it failed' }
    const run = changing('patch', {}, 'undo', { failure: stale })
    expect(await strand(run, 'a person must look', { fleet, cmdb: undefined }, hereOf().here.now())).toMatchObject({
      kind: 'ignored',
    })
    expect((await readRecord(await fleet.head(), run.id))?.state).toBe('running')
  })
})

describe('a task that fails when its run is beyond it', () => {
  it.each([
    ['patch.commit', 'stop.verify'],
    ['patch.commit', 'save.build'],
    ['start.commit', 'locate'],
  ])('undoes nothing: the run has pushed %s, and %s fails', async (task, failing) => {
    const { outcome, record } = await undoneAt(task, failing)
    expect(outcome).toEqual({
      kind: 'ignored',
      message: `Run 0123456789abcdef0123 goes on, and is beyond ${failing}: it is another delivery of it that failed`,
    })
    expect(record?.state).toBe('running')
  })

  it.each([
    ['patch.commit', 'patch.commit'],
    ['patch.commit', 'patch.verify'],
    ['patch.commit', 'start.build'],
    ['locate', 'check'],
  ])('is none of those: the run has pushed %s, and %s fails', async (task, failing) => {
    const { outcome, record } = await undoneAt(task, failing)
    expect(outcome.kind).not.toBe('ignored')
    expect(record?.state).not.toBe('running')
  })
})
