import { openTrouble } from '../../shared/goals/grace.ts'
import type { Hub, PlacementState } from '../../shared/hub.ts'
import { chosen, placementName } from '../../shared/ocm/placement.ts'
import { type Here, notYet, type Outcome, type Run, refused, succeeded } from '../../shared/step.ts'

interface Settings {
  namespace: string
  graceMilliseconds: number
}

/** Why the wait ended without a decision. */
type End = 'patience' | 'deadline' | 'nothing fits'

/**
 * Waits for the decision on a Placement. That no cluster fits is believed once it was seen for the grace in all, with nothing
 * else seen in between: the time in which the hub could not be asked does not count. When the run's time is up it fails with what
 * OCM last said.
 */
export async function awaitDecision(
  run: Run,
  name: string,
  hub: Hub,
  settings: Settings,
  here: Here,
): Promise<Outcome> {
  const wait = startWait(run, settings, here)
  let last = 'the Placement has not reached the hub yet'
  try {
    for await (const state of hub.watchPlacement(settings.namespace, placementName(name, run.id), wait.signal)) {
      const decision = state && chosen(state.decisions)
      if (decision) return placed(name, decision.clusterName, decision.reason)
      last = sentenceOf(state)
      if (state?.isStale) wait.unseen()
      else if (state && unsatisfied(state)) wait.hopeless()
      else wait.hopeful()
      await here.progress(`Waiting for a cluster for ${name}: ${last}`)
    }
  } finally {
    wait.stop()
  }
  if (wait.end() === 'patience') return notYet(`Still waiting for a cluster for ${name}: ${last}`)
  const late = wait.end() === 'deadline' ? `not placed by ${run.deadline}; ` : ''
  return refused(`Cannot place ${name}: ${late}${last}`)
}

function placed(name: string, cluster: string, reason: string): Outcome {
  const placementReason = `OCM chose it among the clusters that fit${reason === '' ? '' : `: ${reason}`}`
  return succeeded(`Placed ${name} on ${cluster}: ${placementReason}`, { cluster, placementReason })
}

/** A signal that ends with our patience, with the run's deadline, or when 'no cluster fits' was seen for long enough. */
function startWait(run: Run, { graceMilliseconds }: Settings, here: Here) {
  const controller = new AbortController()
  const end = (why: End) => controller.abort(why)
  const impatient = () => end('patience')
  here.patience.addEventListener('abort', impatient)
  if (here.patience.aborted) impatient()
  const left = Date.parse(run.deadline) - here.now().getTime()
  const deadline = setTimeout(end, Math.max(0, Math.min(left, 2 ** 31 - 1)), 'deadline')
  const trouble = openTrouble(graceMilliseconds, () => new Date())
  let lasted: NodeJS.Timeout | undefined
  return {
    signal: controller.signal,
    end: () => controller.signal.reason as End,
    /** Ends after what is left of the grace, unless it is told otherwise before. */
    hopeless: () => {
      trouble.seen()
      clearTimeout(lasted)
      lasted = setTimeout(end, trouble.left(), 'nothing fits')
    },
    unseen: () => {
      trouble.unseen()
      clearTimeout(lasted)
    },
    hopeful: () => {
      trouble.gone()
      clearTimeout(lasted)
    },
    stop: () => {
      here.patience.removeEventListener('abort', impatient)
      clearTimeout(deadline)
      clearTimeout(lasted)
      // Lets go of the watch; an end that came before stays the reason.
      end('patience')
    },
  }
}

/** What OCM says of this very Placement, at this moment, when it cannot be satisfied. */
const unsatisfied = ({ conditions, generation }: PlacementState) =>
  conditions.find(
    ({ type, status, observedGeneration }) =>
      (observedGeneration === undefined || observedGeneration >= generation) &&
      ((type === 'PlacementSatisfied' && status === 'False') ||
        (type === 'PlacementMisconfigured' && status === 'True')),
  )

function sentenceOf(state: PlacementState | undefined): string {
  if (!state) return 'the Placement has not reached the hub yet'
  const condition = unsatisfied(state)
  if (!condition) return 'OCM has not decided yet'
  return condition.message || condition.reason || 'no ManagedCluster fits the Placement'
}
