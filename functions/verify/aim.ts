import { DroverError } from '../../shared/errors.ts'
import { isFurther } from '../../shared/goals/further.ts'
import type { Aim, Goal } from '../../shared/goals/goal.ts'
import type { MachineView } from '../../shared/machines.ts'
import type { Run } from '../../shared/step.ts'

/** What a run waits for: its definition, as of its commit. */
export function aimOf({ id, facts }: Run): Aim {
  const { definition, revision } = facts
  if (!definition) throw new DroverError('unreadable', `Cannot wait: run ${id} has no definition`)
  return { run: id, definition, revision, facts }
}

/** A goal that nobody waits for once the machine shows that the run has gone on. */
export const unlessFurther = (run: Run, goal: Goal) => ({
  ...goal,
  isPast: ({ machine }: MachineView) => isFurther(run, machine),
})
