import { allocateStep } from '../../functions/allocate/step.ts'
import { buildStep } from '../../functions/build/step.ts'
import { commitStep } from '../../functions/commit/step.ts'
import { locateStep } from '../../functions/locate/step.ts'
import { notify } from '../../functions/notify/notify.ts'
import { placeStep } from '../../functions/place/step.ts'
import { strand } from '../../functions/recover/strand.ts'
import { tick } from '../../functions/recover/tick.ts'
import { undo } from '../../functions/recover/undo.ts'
import { registerStep } from '../../functions/register/step.ts'
import { validate } from '../../functions/validate/validate.ts'
import { verifyStep } from '../../functions/verify/step.ts'
import type { Event } from '../../shared/event.ts'
import type { Fleet } from '../../shared/fleet.ts'
import type { FunctionName } from '../../shared/lifecycles.ts'
import type { Wired } from '../../shared/shell/work.ts'
import type { Step } from '../../shared/step.ts'
import { buildSettings, gitops } from '../functions/changes.ts'
import type { Cluster } from './cluster.ts'

/** How long a run may be silent until a tick takes its events for lost. */
export const quietMilliseconds = 10 * 60_000

/** The functions as their `index.ts` wire them, over a fleet and a cluster that are values. */
export function functionsOver(
  fleetOf: (name: FunctionName) => Fleet,
  clients: Cluster,
  post: (event: Event) => Promise<void>,
  undoMinutes: number,
): (name: FunctionName) => Promise<Wired> {
  const settings = { rootApplication: gitops.rootApplication, graceMilliseconds: 0 }
  const steps: Record<FunctionName, (fleet: Fleet) => Step> = {
    validate: (fleet) => (run) => validate(run, fleet),
    locate: (fleet) => locateStep(fleet, clients),
    allocate: allocateStep,
    place: (fleet) => placeStep(fleet, clients, { ...settings, namespace: gitops.namespace }),
    register: (fleet) => registerStep(fleet, undefined),
    build: (fleet) => buildStep(fleet, buildSettings),
    commit: commitStep,
    verify: () => verifyStep(clients, { ...settings, resolver: undefined }),
    notify: () => (run) => notify(run, { post: async () => 200 }),
    recover: (fleet) => (run, here) =>
      undo(run, { ...clients, ...settings, fleet, gitops, cmdb: undefined, undoMinutes }, here),
  }
  return async (name) => {
    const fleet = fleetOf(name)
    return {
      step: steps[name](fleet),
      post,
      ...(name === 'recover' && {
        sweep: (now: Date) => tick(fleet, { quietMilliseconds }, now),
        strand: (run, message, now) => strand(run, message, { fleet, cmdb: undefined }, now),
      }),
    }
  }
}
