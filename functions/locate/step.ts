import type { Fleet } from '../../shared/fleet.ts'
import type { Machines } from '../../shared/machines.ts'
import { overFleet } from '../../shared/plan.ts'
import type { Step } from '../../shared/step.ts'
import { type HoldClients, hold } from './hold.ts'
import { locate } from './locate.ts'

export interface LocateClients extends HoldClients {
  machines: Machines
}

/** Finds and holds what a run is about: the machine that there is, or the golden image. */
export const locateStep = (fleet: Fleet, clients: LocateClients): Step =>
  overFleet(fleet, (run, over, here) =>
    run.task === 'hold' ? hold(run, over, clients) : locate(run, over, clients, here),
  )
