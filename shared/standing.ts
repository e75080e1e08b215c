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
  return (await fleet.find(run.id, firstOf(run.lifecycle), run.horizon, tree)) === undefined ? undefined : 'ended'
}

/** The task that makes a run's first commit: the one after `validate`, which reserves what the run is about. */
export const firstOf = (lifecycle: LifecycleName): string => lifecycleOf(lifecycle).tasks[1]?.name ?? ''
