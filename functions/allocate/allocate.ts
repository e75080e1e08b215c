import { DroverError } from '../../shared/errors.ts'
import type { Fleet } from '../../shared/fleet.ts'
import type { Outcome, Run } from '../../shared/step.ts'
import { allocateAddress } from './address.ts'
import { allocateName } from './name.ts'
import { release } from './release.ts'

const steps: Record<string, (run: Run, fleet: Fleet) => Promise<Outcome>> = {
  name: allocateName,
  address: allocateAddress,
  release,
}

/** The machine's name, its addresses, and their release: each is one commit. */
export async function allocate(run: Run, fleet: Fleet): Promise<Outcome> {
  const step = steps[run.task]
  if (!step) throw new DroverError('unreadable', `Cannot allocate: ${run.task} is no task of it`)
  return step(run, fleet)
}
