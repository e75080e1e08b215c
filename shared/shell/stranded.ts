import { DroverError } from '../errors.ts'
import { undo } from '../lifecycles.ts'
import type { Outcome, Run } from '../step.ts'
import type { ShellOptions } from './work.ts'

/**
 * Notes in Git that a run is left to a person, before an event says so. Where Git refuses every push, that is what the
 * person must look at: it is said without the note. Once they have put it right a tick goes on with the run, for no note
 * says otherwise, and it ends a second time. Answers what the run has come to where it has ended already, or goes on.
 */
export async function noteStranded(run: Run, message: string, options: ShellOptions): Promise<Outcome | undefined> {
  const { strand } = await options.wired(undo.by)
  try {
    return await strand?.(run, message, options.now())
  } catch (error) {
    if (!(error instanceof DroverError && error.reason === 'refused')) throw error
    options.log.error({ err: error, run: run.id }, 'Cannot note in Git that the run is stranded')
    return undefined
  }
}
