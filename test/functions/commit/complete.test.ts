import { describe, expect, it } from 'vitest'
import { complete } from '../../../functions/commit/complete.ts'
import { runFile } from '../../../shared/paths.ts'
import { fleetOf, foundOut, runWith } from '../build/runs.ts'

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
