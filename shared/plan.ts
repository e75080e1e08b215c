import { draftOf } from './draft.ts'
import type { Change, Fleet, Tree } from './fleet.ts'
import { isLock, runFolder } from './paths.ts'
import { unlessLost } from './standing.ts'
import type { Here, Outcome, Run, Step } from './step.ts'

/** True for a run that only says what it would do. */
export const isPlan = ({ request }: Pick<Run, 'request'>): boolean =>
  typeof request === 'object' && request !== null && 'plan' in request && request.plan === true

/** A step over the fleet; where the run is a plan, over a draft of it that goes on from task to task. */
export const overFleet =
  (fleet: Fleet, step: (run: Run, fleet: Fleet, here: Here) => Promise<Outcome>): Step =>
  async (run, here) => {
    if (!isPlan(run)) return unlessLost(await step(run, fleet, here), run, fleet)
    const draft = draftOf(fleet, run.draft ?? [])
    const outcome = await step(run, draft.fleet, here)
    return outcome.kind === 'succeeded' ? { ...outcome, draft: draft.changes() } : outcome
  }

/** What a draft makes of the fleet, a line for each file, as `git status` says it; what only a run needs is left out. */
export async function planLines(tree: Tree, changes: readonly Change[]): Promise<string[]> {
  const shown = changes.filter(({ path }) => !path.startsWith(`${runFolder}/`) && !isLock(path))
  const lines = await Promise.all(
    shown.map(async ({ path, content }) => {
      const before = await tree.read(path)
      if ((before ?? null) === content) return []
      return [`${before === undefined ? 'A' : content === null ? 'D' : 'M'} ${path}`]
    }),
  )
  return lines.flat().sort()
}
