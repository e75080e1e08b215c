import { messageOf } from '../../shared/errors.ts'
import type { Fleet } from '../../shared/fleet.ts'
import type { Swept } from '../../shared/step.ts'
import { letGo } from './retention.ts'
import { type SweepSettings, sweep } from './sweep.ts'

/** What is done at a tick: runs that stand still go on, and what was kept long enough leaves. Neither holds the other up. */
export async function tick(fleet: Fleet, settings: SweepSettings, now: Date): Promise<Swept> {
  const letting = letGo(fleet, {}, now).catch((error) => [messageOf(error)])
  const swept = await sweep(fleet, settings, now)
  const kept = await letting
  return { ...swept, problems: [...swept.problems, ...kept] }
}
