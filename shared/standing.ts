import { isDeepStrictEqual } from 'node:util'
import type { Fleet, Tree } from './fleet.ts'
import { type RunRecord, readRecord } from './ledger.ts'
import { type LifecycleName, lifecycleOf } from './lifecycles.ts'
import { ignored, type Outcome, type Run, refused } from './step.ts'

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
  return (await did(firstOf(run.lifecycle))) || (await did(endOfUndo)) ? 'ended' : undefined
}

/**
 * Passes over a request whose source and id were those of another one, which goes on: what that one has found and written says nothing
 * of what this one wants. Undefined where it is the same.
 */
export function unlessAnother({ lifecycle, request }: RunRecord, run: Run): Outcome | undefined {
  if (lifecycle === run.lifecycle && isDeepStrictEqual(request, run.request)) return undefined
  return ignored(`Run ${run.id} is that of another request: its source and id were used before`)
}

/** The step of the last commit of an undone run, and of the only one of a run that ended before it had begun; no task's name. */
export const endOfUndo = 'undone'

/** The task that makes a run's first commit: the one after `validate` holds or reserves what the run is about. */
export const firstOf = (lifecycle: LifecycleName): string => lifecycleOf(lifecycle).tasks[1]?.name ?? ''

/** True once a run has made its first commit, whatever has become of that: it is what the run has a name from. */
export const hasCommitted = ({ facts }: Pick<Run, 'facts'>): boolean => facts.name !== undefined

/**
 * What a task came to. It passes over a run that has no record, for that has ended; but one of which the history knows nothing
 * at all has not: somebody has rewritten the history, and the run fails, or it would end in silence.
 */
export async function unlessLost(outcome: Outcome, run: Run, fleet: Pick<Fleet, 'head' | 'find'>): Promise<Outcome> {
  if (outcome.kind !== 'ignored' || !hasCommitted(run)) return outcome
  const tree = await fleet.head()
  return (await standing(tree, run, fleet)) === undefined ? refused(lostSentence(run)) : outcome
}

export const lostSentence = ({ id }: Run): string =>
  `Cannot go on with run ${id}: what it had committed is not in the branch any more, for its history was rewritten`
