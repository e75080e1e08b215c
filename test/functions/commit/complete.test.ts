import { describe, expect, it } from 'vitest'
import { complete } from '../../../functions/commit/complete.ts'
import { addressFile, definitionFile, runFile } from '../../../shared/paths.ts'
import { toYaml } from '../../../shared/yaml.ts'
import { dualStack } from '../../shared/cloudinit/guests.ts'
import { databaseServer } from '../../shared/kubevirt/definitions.ts'
import { fleetOf, foundOut, runWith } from '../build/runs.ts'
import { changing, commitAs, fleetHaving } from '../changes.ts'

const run = runWith('complete', foundOut())

describe('complete', () => {
  it('removes the record of the run and says where the machine is', async () => {
    const fleet = await fleetOf(run)
    expect(await complete(run, fleet)).toEqual({
      kind: 'succeeded',
      message: 'VM web-01 is ready on site-a at 10.20.0.17, fd00:20::17',
      facts: run.facts,
    })
    expect(fleet.commits).toMatchObject([{ changes: { [runFile(run.id)]: null }, trailers: { step: 'complete' } }])
  })

  it('does not close the run of a machine that is gone while an address is still reserved for it', async () => {
    const removed = changing('deprovision', {}, 'remove.commit', { facts: { interfaces: [dualStack()] } })
    const fleet = await fleetHaving(databaseServer())
    const lease = addressFile('servers', '10.20.0.17')
    fleet.put({ [lease]: toYaml({ address: '10.20.0.17', machine: 'db-01', namespace: 'shop' }) })
    await commitAs(removed, fleet, [{ path: definitionFile('site-a', 'shop', 'db-01'), content: null }])
    const closing = { ...removed, task: 'complete' }
    expect(await complete(closing, fleet)).toMatchObject({
      kind: 'refused',
      message: `Cannot close the run: db-01 is gone, but this is still reserved for it: "${lease}"`,
    })
    expect(fleet.commits).toEqual([])
    // The address is somebody else's by now.
    fleet.put({ [lease]: toYaml({ address: '10.20.0.17', machine: 'web-07', namespace: 'shop' }) })
    expect(await complete(closing, fleet)).toMatchObject({ kind: 'succeeded' })
    expect((await fleet.files())[lease]).toContain('web-07')
  })

  it('answers the same at the second delivery', async () => {
    const fleet = await fleetOf(run)
    const first = await complete(run, fleet)
    expect(await complete(run, fleet)).toEqual(first)
    expect(fleet.commits).toHaveLength(1)
  })

  it.each(['gone', 'undoing'])('ignores an event that comes when the run is %s', async (state) => {
    const fleet = await fleetOf(run)
    const text = (await fleet.files())[runFile(run.id)] ?? ''
    fleet.put({ [runFile(run.id)]: state === 'gone' ? null : text.replace('"running"', `"${state}"`) })
    expect(await complete(run, fleet)).toEqual({
      kind: 'ignored',
      message: `Run ${run.id} has been undone: it cannot be completed any more`,
    })
    expect(fleet.commits).toEqual([])
  })
})
