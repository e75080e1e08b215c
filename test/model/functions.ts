import { allocate } from '../../functions/allocate/allocate.ts'
import { build } from '../../functions/build/build.ts'
import { commit } from '../../functions/commit/commit.ts'
import { complete } from '../../functions/commit/complete.ts'
import { locateStep } from '../../functions/locate/step.ts'
import { notify } from '../../functions/notify/notify.ts'
import { place } from '../../functions/place/place.ts'
import { strand } from '../../functions/recover/strand.ts'
import { look } from '../../functions/recover/tick.ts'
import { undo } from '../../functions/recover/undo.ts'
import { register } from '../../functions/register/register.ts'
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
  { machines, hub, images, goldenImages }: Cluster,
  post: (event: Event) => Promise<void>,
): (name: FunctionName) => Promise<Wired> {
  const settings = { rootApplication: gitops.rootApplication, graceMilliseconds: 0 }
  const verifying = { machines, goldenImages }
  const steps: Record<FunctionName, (fleet: Fleet) => Step> = {
    validate: (fleet) => (run) => validate(run, fleet),
    locate: (fleet) => (run, here) => locateStep(run, fleet, { machines, images, hub, goldenImages }, here),
    allocate: (fleet) => (run) => allocate(run, fleet),
    place: (fleet) => (run, here) => place(run, fleet, hub, { ...settings, namespace: gitops.namespace }, here),
    register: (fleet) => (run) => register(run, undefined, fleet),
    build: (fleet) => async (run) => build(run, await fleet.head(), buildSettings),
    commit: (fleet) => (run) => (run.task === 'complete' ? complete(run, fleet) : commit(run, fleet)),
    verify: () => (run, here) => verifyStep(run, verifying, { ...settings, resolver: undefined }, here),
    notify: () => (run) => notify(run, { post: async () => 200 }),
    recover: (fleet) => (run, here) =>
      undo(run, { ...settings, fleet, machines, goldenImages, gitops, cmdb: undefined }, here),
  }
  return async (name) => {
    const fleet = fleetOf(name)
    return {
      step: steps[name](fleet),
      post,
      ...(name === 'recover' && {
        sweep: (now: Date) => look(fleet, { quietMilliseconds }, now),
        strand: (run, message) => strand(run, message, { fleet, cmdb: undefined }),
      }),
    }
  }
}
