import type { Tree } from '../../shared/fleet.ts'
import { lifecycleOf } from '../../shared/lifecycles.ts'
import { plannedFiles } from '../../shared/plan.ts'
import { releasedAtClose } from '../../shared/reservations.ts'
import { type Outcome, type Run, succeeded } from '../../shared/step.ts'

/** Says what a plan comes to: what would become of the machine, and of each file of the fleet repository. */
export async function concludePlan(run: Run, tree: Tree): Promise<Outcome> {
  const { lifecycle, facts, draft = [] } = run
  // The close of a run gives back the name, and that of a plan is not run.
  const released = await releasedAtClose(tree, run)
  const { plan, diff } = await plannedFiles(tree, [...draft, ...released.map((path) => ({ path, content: null }))])
  const { report = [], name } = facts
  const what = `${lifecycleOf(lifecycle).title} of ${name}`
  const files = `${plan.length} files of the fleet repository would change`
  return succeeded(`Nothing was changed. ${what} would do this: ${[...report, files].join('; ')}`, {
    ...facts,
    plan,
    diff,
  })
}
