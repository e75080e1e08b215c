import { DroverError } from '../../shared/errors.ts'
import type { Fleet } from '../../shared/fleet.ts'
import { overFleet } from '../../shared/plan.ts'
import type { Outcome, Run, Step } from '../../shared/step.ts'
import { allocateAddress } from './address.ts'
import { allocateName } from './name.ts'
import { release } from './release.ts'

const steps: Record<string, (run: Run, fleet: Fleet) => Promise<Outcome>> = {
  name: allocateName,
  address: allocateAddress,
  release,
}

/** Reserves the machine's name and its addresses in the fleet, and releases these: each is one commit. A plan does so in its draft. */
export const allocateStep = (fleet: Fleet): Step =>
  overFleet(fleet, async (run, over) => {
    const step = steps[run.task]
    if (!step) throw new DroverError('unreadable', `Cannot allocate: ${run.task} is no task of it`)
    return step(run, over)
  })
