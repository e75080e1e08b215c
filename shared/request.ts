import { DroverError } from './errors.ts'
import type { LifecycleName } from './lifecycles.ts'
import type { Requests } from './schema/requests.ts'
import type { Run } from './step.ts'

/** The request of a run, as the schema of its lifecycle has it: `validate` has held it to that, and it is signed since. */
export function requestOf<L extends LifecycleName>(
  run: Pick<Run, 'id' | 'lifecycle' | 'request'>,
  wanted: L,
): Requests[L] {
  if (run.lifecycle !== wanted)
    throw new DroverError('unreadable', `Cannot do it: run ${run.id} is a ${run.lifecycle}, wanted ${wanted}`)
  return run.request as Requests[L]
}
