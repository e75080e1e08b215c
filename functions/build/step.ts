import type { Fleet } from '../../shared/fleet.ts'
import { makesImage } from '../../shared/lifecycles.ts'
import { overFleet } from '../../shared/plan.ts'
import type { Step } from '../../shared/step.ts'
import { type BuildSettings, change } from './change.ts'
import { create } from './create.ts'
import { customize } from './customize.ts'
import { buildImage } from './image.ts'

/** Builds what is to be committed next, from the fleet as it is; a plan from its draft. Changes nothing. */
export const buildStep = (fleet: Fleet, settings: BuildSettings): Step =>
  overFleet(fleet, async (run, over) => {
    const tree = await over.head()
    if (run.task === 'customize') return customize(run, tree)
    if (makesImage(run.lifecycle)) return buildImage(run, tree, settings)
    return run.task === 'create.build' ? create(run, tree, settings) : change(run, tree, settings)
  })
