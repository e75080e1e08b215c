import type { Tree } from '../../shared/fleet.ts'
import type { Outcome, Run } from '../../shared/step.ts'
import { type BuildSettings, change } from './change.ts'
import { create } from './create.ts'
import { customize } from './customize.ts'

/** Builds what is to be committed next; changes nothing. */
export async function build(run: Run, tree: Tree, settings: BuildSettings): Promise<Outcome> {
  if (run.task === 'customize') return customize(run, tree)
  return run.task === 'create.build' ? create(run, tree, settings) : change(run, tree, settings)
}
