import { makesImage } from '../../shared/lifecycles.ts'
import type { Machines } from '../../shared/machines.ts'
import type { Here, Outcome, Run } from '../../shared/step.ts'
import { type ImageClients, verifyImage } from './image.ts'
import { type Settings, verify } from './verify.ts'

export interface VerifyClients extends ImageClients {
  machines: Machines
}

/** Waits for what a run is about: the machine, or the golden image. */
export function verifyStep(run: Run, clients: VerifyClients, settings: Settings, here: Here): Promise<Outcome> {
  return makesImage(run.lifecycle)
    ? verifyImage(run, clients, settings, here)
    : verify(run, clients.machines, settings, here)
}
