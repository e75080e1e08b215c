import { type Cmdb, type CmdbState, toCmdbRecord } from '../../shared/cmdb.ts'
import { DroverError } from '../../shared/errors.ts'
import type { Fleet } from '../../shared/fleet.ts'
import { readRecord } from '../../shared/ledger.ts'
import { makesMachine } from '../../shared/lifecycles.ts'
import { isPlan } from '../../shared/plan.ts'
import { endOfUndo } from '../../shared/standing.ts'
import { ignored, type Outcome, type Run, succeeded } from '../../shared/step.ts'

const states: Record<string, CmdbState> = { plan: 'planned', operate: 'operational', retire: 'retired' }

/** The run is being undone, or is by now. */
async function isUndone({ id, horizon }: Run, fleet: Fleet): Promise<boolean> {
  const record = await readRecord(await fleet.head(), id)
  return record ? record.state === 'undoing' : (await fleet.find(id, endOfUndo, horizon)) !== undefined
}

/** Registers the machine in the enterprise system: planned before it is made, operational once it runs, retired once it is gone. */
export async function register(run: Run, cmdb: Cmdb | undefined, fleet: Fleet): Promise<Outcome> {
  if (!cmdb) return succeeded('No enterprise system is configured, nothing to register')
  const state = states[run.task]
  if (!state) throw new DroverError('unreadable', `Cannot register: ${run.task} is no task of it`)
  if (isPlan(run)) return succeeded(`Would register ${run.facts.name} as ${state}`)
  // A late event must not bring back what an undo has retired.
  const record = await readRecord(await fleet.head(), run.id)
  const said = record?.state === 'running' ? await cmdb.register(toCmdbRecord(run), state) : undefined
  // A slow system may do what it was asked for when the run is undone and its machine retired, and after its answer was given up.
  const isRetired = state !== 'retired' && makesMachine(run.lifecycle) && (await isUndone(run, fleet))
  if (isRetired) await cmdb.register(toCmdbRecord(run), 'retired')
  if (!said || isRetired) return ignored(`Run ${run.id} has ended: its event comes too late`)
  const { id } = said
  return succeeded(`Registered ${run.facts.name} as ${state}: record ${id}`, { cmdb: { id, state } })
}
