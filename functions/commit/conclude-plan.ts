import type { Tree } from '../../shared/fleet.ts'
import { lifecycleOf } from '../../shared/lifecycles.ts'
import { plannedFiles } from '../../shared/plan.ts'
import { type Outcome, type Run, succeeded } from '../../shared/step.ts'

/** Says what a plan comes to: what would become of the machine, and of each file of the fleet repository. */
export async function concludePlan({ lifecycle, facts, draft = [] }: Run, tree: Tree): Promise<Outcome> {
  const { plan, diff } = await plannedFiles(tree, draft)
  const { report = [], name } = facts
  const what = `${lifecycleOf(lifecycle).title} of ${name}`
  const files = `${plan.length} files of the fleet repository would change`
  return succeeded(`Nothing was changed. ${what} would do this: ${[...report, files].join('; ')}`, {
    ...facts,
    plan,
    diff,
  })
}
