import type { Change, Fleet } from '../../shared/fleet.ts'
import { type RunRecord, readRecord, trailersOf } from '../../shared/ledger.ts'
import { runFile } from '../../shared/paths.ts'
import { withoutSecrets } from '../../shared/secrets.ts'
import type { Run } from '../../shared/step.ts'
import { toYaml } from '../../shared/yaml.ts'

/** Notes in Git that a run is left to a person, so that no tick goes on with it under their hands. */
export async function strand(run: Run, message: string, fleet: Fleet): Promise<void> {
  await fleet.transact({
    subject: `Leave run ${run.id} to a person`,
    trailers: { ...trailersOf(run), step: 'strand' },
    decide: async (tree) => {
      const record = await readRecord(tree, run.id)
      if (!record || record.state === 'stranded' || isOfAnother(run, record)) return { nothing: true, value: undefined }
      return { changes: [strandedRecord(record, run, message)], value: undefined }
    },
  })
}

/** A request that is refused has done nothing: what there is was made by another delivery of the same id. */
export const isOnlyRefused = ({ failure }: Run) => failure?.task === 'validate'

const isOfAnother = (run: Run, { state }: RunRecord) => state === 'running' && isOnlyRefused(run)

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
