import { makesImage } from '../../shared/lifecycles.ts'
import type { Machines } from '../../shared/machines.ts'
import type { Step } from '../../shared/step.ts'
import { type ImageClients, verifyImage } from './image.ts'
import type { Settings } from './settings.ts'
import { verify } from './verify.ts'

export interface VerifyClients extends ImageClients {
  machines: Machines
}

/** Waits for what a run is about: the machine, or the golden image. */
export const verifyStep =
  (clients: VerifyClients, settings: Settings): Step =>
  (run, here) =>
    makesImage(run.lifecycle)
      ? verifyImage(run, clients, settings, here)
      : verify(run, clients.machines, settings, here)
