import type { Fleet, Tree } from './fleet.ts'
import { type RunRecord, readRecord } from './ledger.ts'
import { type LifecycleName, lifecycleOf } from './lifecycles.ts'
import type { Run } from './step.ts'

/**
 * How a run stands in a tree: its record while it goes on, undefined before its first commit, 'ended' when it is over or
 * being undone. Asked inside a transaction, so nobody can end the run between the answer and the commit.
 */
export async function standing(
  tree: Tree,
  run: Run,
  fleet: Pick<Fleet, 'find'>,
): Promise<RunRecord | 'ended' | undefined> {
  const record = await readRecord(tree, run.id)
  if (record) return record.state === 'running' ? record : 'ended'
  const did = async (step: string) => (await fleet.find(run.id, step, run.horizon, tree)) !== undefined
  return (await did(firstOf(run.lifecycle))) || (await did(releasing)) ? 'ended' : undefined
}

/** The step of the last commit of an undone run, and of the only one of a run that ended before it had begun; no task's name. */
export const releasing = 'undone'

/** The task that makes a run's first commit: the one after `validate` holds or reserves what the run is about. */
export const firstOf = (lifecycle: LifecycleName): string => lifecycleOf(lifecycle).tasks[1]?.name ?? ''
