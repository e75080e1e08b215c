import type { Fleet } from '../../shared/fleet.ts'
import { overFleet } from '../../shared/plan.ts'
import type { Step } from '../../shared/step.ts'
import { allocate } from './allocate.ts'

/** Reserves and releases in the fleet; a plan does so in its draft. */
export const allocateStep = (fleet: Fleet): Step => overFleet(fleet, allocate)
