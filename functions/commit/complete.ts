import type { Fleet } from '../../shared/fleet.ts'
import { readRecord, trailersOf } from '../../shared/ledger.ts'
import { runFile } from '../../shared/paths.ts'
import { ignored, type Outcome, type Run, succeeded } from '../../shared/step.ts'

/** Closes a run: its record leaves Git, and from then on no event can undo what it did. */
export async function complete(run: Run, fleet: Fleet): Promise<Outcome> {
  const { facts } = run
  const { value } = await fleet.transact<'closed' | 'gone' | 'undoing'>({
    subject: `Close run ${run.id}: ${run.lifecycle} of ${facts.name} completed`,
    trailers: trailersOf(run),
    decide: async (tree) => {
      const record = await readRecord(tree, run.id)
      if (record === undefined) return { nothing: true, value: 'gone' }
      if (record.state !== 'running') return { nothing: true, value: 'undoing' }
      return { changes: [{ path: runFile(run.id), content: null }], value: 'closed' }
    },
  })
  const closed =
    value === 'closed' || (value === 'gone' && (await fleet.find(run.id, run.task, run.horizon)) !== undefined)
  if (!closed) return ignored(`Run ${run.id} has been undone: it cannot be completed any more`)
  const addresses = (facts.interfaces ?? []).flatMap((one) => one.leases.map((lease) => lease.address))
  return succeeded(`VM ${facts.name} is ready on ${facts.cluster} at ${addresses.join(', ')}`, facts)
}
