import { shareFleet } from '../../shared/clients/shared-fleet.ts'
import { overFleet } from '../../shared/plan.ts'
import { toFunction, type Wire } from '../../shared/runtime/function.ts'
import { build } from './build.ts'

/** The definition of the machine, and the change set of files that it becomes. */
export const wire: Wire = (config, log) => {
  const fleet = shareFleet({ ...config.git, log })
  const { repoUrl, namespace, project, rootApplication } = config.argocd
  const settings = {
    repoUrl,
    branch: config.git.branch,
    namespace,
    project,
    rootApplication,
    guestfsImage: config.guestfsImage,
    pushImage: config.pushImage,
  }
  return {
    step: overFleet(fleet, async (run, over) => build(run, await over.head(), settings)),
    close: () => fleet.close(),
  }
}

export const { handle, init, shutdown, cors, liveness, readiness } = toFunction('build', wire)
