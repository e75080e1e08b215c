import type { Tree } from '../../shared/fleet.ts'
import { makesImage } from '../../shared/lifecycles.ts'
import type { Outcome, Run } from '../../shared/step.ts'
import { type BuildSettings, change } from './change.ts'
import { create } from './create.ts'
import { customize } from './customize.ts'
import { buildImage } from './image.ts'

/** Builds what is to be committed next; changes nothing. */
export async function build(run: Run, tree: Tree, settings: BuildSettings): Promise<Outcome> {
  if (run.task === 'customize') return customize(run, tree)
  if (makesImage(run.lifecycle)) return buildImage(run, tree, settings)
  return run.task === 'create.build' ? create(run, tree, settings) : change(run, tree, settings)
}
