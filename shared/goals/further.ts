import { operationAnnotation } from '../kubevirt/manifest.ts'
import { isRound, roundOf, roundsOf } from '../lifecycles.ts'
import type { Metadata } from '../machines.ts'
import type { Run } from '../step.ts'

/**
 * True when a run has gone on since the event that woke a step, as far as that can be seen: what the run is about shows that it was
 * made by a later round of this very run, or by a stage of its undo (of a machine). Such an event came once more. What it waits for is
 * over, and would be waited for until the run's time is up; so it is where the machine is gone by then, or as it was before the run.
 */
export function isFurther({ id, lifecycle, task }: Run, bearer: { metadata: Metadata } | undefined): boolean {
  const operation = bearer?.metadata.annotations?.[operationAnnotation]
  if (!operation?.startsWith(`${id}.`)) return false
  const shown = operation.slice(id.length + 1)
  if (shown.startsWith('undo-')) return true
  const round = roundOf(lifecycle, task)
  const rounds = roundsOf(lifecycle)
  return round !== undefined && isRound(shown) && rounds.indexOf(shown) > rounds.indexOf(round)
}
