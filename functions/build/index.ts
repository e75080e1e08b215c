import { shareFleet } from '../../shared/clients/shared-fleet.ts'
import { toFunction, type Wire } from '../../shared/runtime/function.ts'
import { buildStep } from './step.ts'

/** The definition of the machine, and the change set of files that it becomes. */
export const wire: Wire = (config, log) => {
  const { argocd, git, guestfs, pushImage } = config
  const fleet = shareFleet({ ...git, log })
  const settings = { ...argocd, branch: git.branch, guestfs, pushImage }
  return {
    step: buildStep(fleet, settings),
    close: () => fleet.close(),
  }
}

export const { handle, init, shutdown, cors, liveness, readiness } = toFunction('build', wire)
