import { type Cmdb, toCmdbRecord } from '../../shared/cmdb.ts'
import { DroverError } from '../../shared/errors.ts'
import { type Fleet, nothing } from '../../shared/fleet.ts'
import { type RunRecord, trailersOf } from '../../shared/ledger.ts'
import { makesImage, makesMachine, placeIn } from '../../shared/lifecycles.ts'
import { isPlan } from '../../shared/plan.ts'
import { endOfUndo, firstOf, hasCommitted, standing } from '../../shared/standing.ts'
import { ignored, notYet, type Outcome, type Run, succeeded } from '../../shared/step.ts'
import { remainsOf } from './image.ts'
import { leftOf } from './left.ts'
import { madeDisks, makingRound } from './made-disks.ts'

/** Where it is written what runs have done. */
export interface Books {
  fleet: Fleet
  /** Undefined where no enterprise system is configured. */
  cmdb: Cmdb | undefined
}

/** A request that is refused has done nothing: what there is was made by another delivery of the same id. */
const isOnlyRefused = ({ failure }: Run) => failure?.task === 'validate'

/**
 * True for the failure of a task that the run is beyond: its event came once more, and what that waits for is over by now, such as a
 * machine that is off.
 */
function isBehind({ lifecycle, failure }: Run, { state, task }: RunRecord): boolean {
  const failed = failure === undefined ? -1 : placeIn(lifecycle, failure.task)
  return state === 'running' && failed >= 0 && failed < placeIn(lifecycle, task)
}

/** True for the failure of another delivery than those that the run goes on with. */
export const isOfAnother = (run: Run, record: RunRecord) => isOnlyRefused(run) || isBehind(run, record)

/** That a run is not ended by the failure of another delivery. */
export const stillRunning = (run: Run) =>
  isOnlyRefused(run)
    ? `Run ${run.id} goes on: it is another delivery of its request that was refused`
    : `Run ${run.id} goes on, and is beyond ${run.failure?.task}: it is another delivery of it that failed`

/** A run without a record did nothing, is undone already, or is complete; a complete one must not be touched. */
export async function answerForEnded(run: Run, { fleet, cmdb }: Books): Promise<Outcome> {
  const did = async (step: string) => (await fleet.find(run.id, step, run.horizon)) !== undefined
  const why = run.failure?.message ?? run.message
  if (await did('complete')) {
    if (run.failure?.task !== 'complete') return ignored(`Run ${run.id} is complete: its failure comes too late`)
    const what = `${makesImage(run.lifecycle) ? 'image' : 'VM'} ${run.facts.name}`
    const message = `The ${run.lifecycle} of ${what} is complete, and nothing was undone: only an answer that says so was lost`
    return { kind: 'succeeded', message, end: 'completed' }
  }
  const hasBegun = await did(firstOf(run.lifecycle))
  if (hasBegun && isOnlyRefused(run))
    return ignored(`Run ${run.id} has ended: its request was refused when it came again`)
  if (hasBegun && (await did(endOfUndo))) return undone(run, fleet)
  if (hasBegun) return ignored(`Run ${run.id} was closed by hand: its failure comes too late`)
  // Nobody but its requester knows of a request that was refused; they may post it again, once it is put right.
  if (isOnlyRefused(run) || isPlan(run)) return succeeded(`Nothing was changed: ${why}`)
  if (!(await neverBegins(run, fleet))) return notYet(`Cannot undo run ${run.id} yet: it has begun this very moment`)
  if (!hasCommitted(run)) return succeeded(`Nothing was changed: ${why}`)
  // Its clusters follow what Git says now.
  if (makesMachine(run.lifecycle) && run.facts.cluster !== undefined) await cmdb?.register(toCmdbRecord(run), 'retired')
  return succeeded(`Nothing is left to be put back, for the history of the branch was rewritten, after: ${why}`)
}

/**
 * Leaves a mark in Git's history that a run has ended before it had begun, for the event that would begin it may come once
 * more. False when it just did. Where the branch takes no push it needs no mark: nothing begins there.
 */
async function neverBegins(run: Run, fleet: Fleet): Promise<boolean> {
  try {
    return await mark(run, fleet)
  } catch (error) {
    if (error instanceof DroverError && error.reason === 'refused') return true
    throw error
  }
}

async function mark(run: Run, fleet: Fleet): Promise<boolean> {
  const { value } = await fleet.transact<boolean>({
    subject: `End ${run.lifecycle} run ${run.id} before it has begun`,
    trailers: { ...trailersOf(run), step: endOfUndo },
    decide: async (tree) => {
      if ((await fleet.find(run.id, endOfUndo, run.horizon, tree)) !== undefined) return nothing(true)
      const before = await standing(tree, run, fleet)
      return before ? nothing(false) : { changes: [], value: true, mark: true }
    },
  })
  return value
}

/** What the run has made is asked of Git's history, its record is gone by then; a snapshot that was kept is told of while it is there. */
export async function undone(run: Run, fleet: Fleet): Promise<Outcome> {
  const why = run.failure?.message ?? run.message
  if (makesImage(run.lifecycle))
    return succeeded(`Everything was put back after: ${why}${await remainsOf(run, fleet)}`, { kept: [] })
  const left = await leftOf(run, fleet)
  const disks = madeDisks(run)
  const isMade = disks.length > 0 && (await fleet.find(run.id, `${makingRound(run)}.commit`, run.horizon)) !== undefined
  const kept = isMade ? disks : []
  const rest =
    kept.length === 0 ? '' : `. Kept on ${run.facts.cluster}, because data disks are never removed: ${kept.join(', ')}`
  return succeeded(`Everything was put back after: ${why}${left}${rest}`, { kept })
}
