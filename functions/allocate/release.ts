import { type Fleet, nothing } from '../../shared/fleet.ts'
import { readRecord, recorded, trailersOf } from '../../shared/ledger.ts'
import { addressesOf, heldAddresses } from '../../shared/reservations.ts'
import { ignored, type Outcome, type Run, succeeded } from '../../shared/step.ts'

/**
 * Gives back the addresses of a machine that is gone, unless they are somebody else's by now. Its name is held until the run closes: a
 * new machine of that name would have the DNS names whose end is still waited for.
 */
export async function release(run: Run, fleet: Fleet): Promise<Outcome> {
  const { value } = await fleet.transact<Outcome>({
    subject: `Release addresses of ${run.facts.name} for run ${run.id}`,
    trailers: trailersOf(run),
    decide: async (tree) => {
      const record = await readRecord(tree, run.id)
      if (record?.state !== 'running') return nothing(ignored(`Run ${run.id} has ended: it releases nothing`))
      const held = await heldAddresses(tree, run)
      if (held.length === 0) return nothing(released(run))
      const changes = held.map((path) => ({ path, content: null }))
      return { changes: await recorded(tree, run, run.facts, changes), value: released(run) }
    },
  })
  return value
}

const released = ({ facts }: Run): Outcome =>
  succeeded(`Released ${addressesOf(facts).join(', ')} and the DNS names of ${facts.name}`)
