import type { Fleet } from '../../shared/fleet.ts'
import type { GoldenImages } from '../../shared/golden-images.ts'
import type { Hub } from '../../shared/hub.ts'
import type { Occupants } from '../../shared/machines.ts'
import { overFleet } from '../../shared/plan.ts'
import type { Step } from '../../shared/step.ts'
import { withVersion } from './image-version.ts'
import { place, type Settings } from './place.ts'
import { planned } from './planned.ts'
import { unlessOccupied } from './unoccupied.ts'

export interface PlaceClients {
  hub: Hub
  occupants: Occupants
  goldenImages: Pick<GoldenImages, 'version'>
}

/** Finds the machine's cluster, sees that its name is free there, and notes what its image stands for. */
export const placeStep = (fleet: Fleet, { hub, occupants, goldenImages }: PlaceClients, settings: Settings): Step =>
  overFleet(fleet, async (run, over, here) => {
    const chosen = planned(run) ?? (await place(run, over, hub, settings, here))
    return withVersion(run, await unlessOccupied(run, chosen, occupants), goldenImages)
  })
