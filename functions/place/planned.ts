import { isPlan } from '../../shared/plan.ts'
import { type Outcome, type Run, succeeded } from '../../shared/step.ts'

/** Stands for a cluster that only a real Placement is decided to; it is in the events of plans alone. */
export const undecided = 'chosen-by-placement'

/** The cluster that an outcome says was decided; undefined while there is none. */
export function placedOn(outcome: Outcome): string | undefined {
  const cluster = outcome.kind === 'succeeded' ? outcome.facts?.cluster : undefined
  return cluster === undecided ? undefined : cluster
}

/** In a plan nobody asks OCM: it decides on Placements that are there, and a plan makes none. */
export function planned(run: Run): Outcome | undefined {
  const { placement } = run.facts.machine ?? {}
  if (!isPlan(run) || !placement || 'cluster' in placement) return undefined
  const report = [...(run.facts.report ?? []), `OCM chooses the cluster, called ${undecided} here`]
  return succeeded('OCM would choose the cluster', { cluster: undecided, report })
}
