import type { Fleet } from '../../shared/fleet.ts'
import { overFleet } from '../../shared/plan.ts'
import type { Step } from '../../shared/step.ts'
import { build } from './build.ts'
import type { BuildSettings } from './change.ts'

/** Builds from the fleet as it is; a plan from its draft. */
export const buildStep = (fleet: Fleet, settings: BuildSettings): Step =>
  overFleet(fleet, async (run, over) => build(run, await over.head(), settings))
