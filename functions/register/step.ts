import type { Cmdb } from '../../shared/cmdb.ts'
import type { Fleet } from '../../shared/fleet.ts'
import { unlessLost } from '../../shared/standing.ts'
import type { Step } from '../../shared/step.ts'
import { register } from './register.ts'

/** Registers the machine where an enterprise system is configured; of the fleet it only reads how the run stands. */
export const registerStep =
  (fleet: Fleet, cmdb: Cmdb | undefined): Step =>
  async (run) =>
    unlessLost(await register(run, cmdb, fleet), run, fleet)
