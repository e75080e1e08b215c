import { type Change, nothing } from '../../shared/fleet.ts'
import { type RunRecord, readRecord, trailersOf } from '../../shared/ledger.ts'
import { runFile } from '../../shared/paths.ts'
import { withoutSecrets } from '../../shared/secrets.ts'
import { ignored, isPastDeadline, notYet, type Outcome, type Run } from '../../shared/step.ts'
import { toYaml } from '../../shared/yaml.ts'
import { answerForEnded, type Books, isOfAnother, stillRunning } from './ended.ts'

/**
 * Notes in Git that a run is left to a person, so that no tick goes on with it under their hands. Answers what the run has
 * come to where that is something else: it has ended already, or goes on.
 */
export async function strand(run: Run, message: string, books: Books, now: Date): Promise<Outcome | undefined> {
  const { value } = await books.fleet.transact<'noted' | 'running' | 'in time' | 'ended'>({
    subject: `Leave run ${run.id} to a person`,
    trailers: { ...trailersOf(run), step: 'strand' },
    decide: async (tree) => {
      const record = await readRecord(tree, run.id)
      if (!record) return nothing('ended')
      if (record.state === 'running' && isOfAnother(run, record)) return nothing('running')
      if (record.state === 'stranded') return nothing('noted')
      if (isPastDeadline(run, now) && !isPastDeadline(record, now)) return nothing('in time')
      return { changes: [strandedRecord(record, run, message)], value: 'noted' }
    },
  })
  if (value === 'running') return ignored(stillRunning(run))
  // Its event waited for longer than it has time, and the undo began late: it goes by what its record says.
  if (value === 'in time') return notYet(`Still undoing run ${run.id}, which began later than this event says`)
  return value === 'ended' ? answerForEnded(run, books) : undefined
}

/** Why a run cannot be undone whose file somebody else has changed. */
export const conflictSentence = (run: Run, path: string): string =>
  `Cannot undo run ${run.id}: ${path} was changed by somebody else after this run wrote it. Look at its history, put it right by hand, and remove ${runFile(run.id)}`

/** The record of a run that a person must look at; with what failed, so that they may let the undo be tried again. */
export function strandedRecord({ resumed: _, ...record }: RunRecord, { failure }: Run, message: string): Change {
  const next: RunRecord = {
    ...(failure ? { failure } : {}),
    ...record,
    state: 'stranded',
    message: withoutSecrets(message),
  }
  return { path: runFile(record.run), content: toYaml(next) }
}
