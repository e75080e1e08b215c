import { describe, expect, it } from 'vitest'
import { trailersOf } from '../../shared/ledger.ts'
import { overFleet } from '../../shared/plan.ts'
import { unlessLost } from '../../shared/standing.ts'
import { ignored, type Run, succeeded } from '../../shared/step.ts'
import { runOf } from '../examples/starter.ts'
import { type MemoryFleet, memoryFleet } from '../fleet.ts'
import { fleetOf } from '../functions/build/runs.ts'
import { hereOf } from '../functions/here.ts'

const run = runOf({ task: 'address', facts: { name: 'web-01' } })
const passedOver = ignored('Run has ended')

/** A fleet whose history has a commit of the run's first task. */
async function begun(by: Run): Promise<MemoryFleet> {
  const fleet = memoryFleet()
  const trailers = { ...trailersOf(by), step: 'name' }
  const decide = async () => ({ changes: [{ path: 'a', content: 'a' }], value: undefined })
  await fleet.transact({ subject: 'first', trailers, decide })
  return fleet
}

describe('a task that passes over its run', () => {
  it('fails it where the history knows nothing of the run any more', async () => {
    const lost = {
      kind: 'refused',
      message: `Cannot go on with run ${run.id}: what it had committed is not in the branch any more, for its history was rewritten`,
      facts: {},
    }
    expect(await unlessLost(passedOver, run, memoryFleet())).toEqual(lost)
    const step = overFleet(memoryFleet(), async () => passedOver)
    expect(await step(run, hereOf().here)).toEqual(lost)
  })

  it('does so where the run has ended, or goes on', async () => {
    expect(await unlessLost(passedOver, run, await begun(run))).toBe(passedOver)
    expect(await unlessLost(passedOver, run, await fleetOf(run))).toBe(passedOver)
  })

  it('does so where the run has committed nothing yet', async () => {
    expect(await unlessLost(passedOver, { ...run, facts: {} }, memoryFleet())).toBe(passedOver)
  })

  it('is not asked about where it says something else', async () => {
    const done = succeeded('done')
    expect(await unlessLost(done, run, memoryFleet())).toBe(done)
  })
})
