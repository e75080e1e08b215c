import type { Fleet } from '../../shared/fleet.ts'
import type { Machines } from '../../shared/machines.ts'
import type { Here, Outcome, Run } from '../../shared/step.ts'
import { type HoldClients, hold } from './hold.ts'
import { locate } from './locate.ts'

export interface LocateClients extends HoldClients {
  machines: Machines
}

/** Finds and holds what a run is about: the machine that there is, or the golden image. */
export function locateStep(run: Run, fleet: Fleet, clients: LocateClients, here: Here): Promise<Outcome> {
  if (run.task === 'hold') return hold(run, fleet, clients)
  return locate(run, fleet, clients.machines, clients.images, here)
}
