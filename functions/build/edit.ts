import type { Tree } from '../../shared/fleet.ts'
import type { Guestfs } from '../../shared/images/customize-job.ts'
import type { Definition } from '../../shared/schema/definition.ts'
import type { Run } from '../../shared/step.ts'

/** What a definition cannot be changed to, as sentences. */
export interface Unfit {
  problems: string[]
}

/**
 * What a round changes of a definition: pure, so that it can be planned, done and done again. The same definition back
 * means that there is nothing to change.
 */
export type Edit = (definition: Definition, run: Run, given: Given) => Definition | Unfit | Promise<Definition | Unfit>

/** What an edit may look at beside the run. */
export interface Given {
  tree: Tree
  guestfs: Guestfs
}
