import { type Cmdb, type CmdbState, toCmdbRecord } from '../../shared/cmdb.ts'
import { DroverError } from '../../shared/errors.ts'
import type { Fleet } from '../../shared/fleet.ts'
import { readRecord } from '../../shared/ledger.ts'
import { makesMachine } from '../../shared/lifecycles.ts'
import { isPlan } from '../../shared/plan.ts'
import { endOfUndo } from '../../shared/standing.ts'
import { ignored, type Outcome, type Run, succeeded } from '../../shared/step.ts'

const states: Record<string, CmdbState> = { plan: 'planned', operate: 'operational', retire: 'retired' }

const isUndone = async ({ id, horizon }: Run, fleet: Fleet): Promise<boolean> =>
  (await readRecord(await fleet.head(), id)) === undefined && (await fleet.find(id, endOfUndo, horizon)) !== undefined

/** Registers the machine in the enterprise system: planned before it is made, operational once it runs, retired once it is gone. */
export async function register(run: Run, cmdb: Cmdb | undefined, fleet: Fleet): Promise<Outcome> {
  if (!cmdb) return succeeded('No enterprise system is configured, nothing to register')
  const state = states[run.task]
  if (!state) throw new DroverError('unreadable', `Cannot register: ${run.task} is no task of it`)
  if (isPlan(run)) return succeeded(`Would register ${run.facts.name} as ${state}`)
  // A late event must not bring back what an undo has retired.
  const record = await readRecord(await fleet.head(), run.id)
  if (record?.state !== 'running') return ignored(`Run ${run.id} has ended: its event comes too late`)
  const { id } = await cmdb.register(toCmdbRecord(run), state)
  // A slow system may answer when the run is undone and its machine retired, and this was said after that.
  if (state !== 'retired' && makesMachine(run.lifecycle) && (await isUndone(run, fleet))) {
    await cmdb.register(toCmdbRecord(run), 'retired')
    return ignored(`Run ${run.id} was undone meanwhile: ${run.facts.name} stays retired`)
  }
  return succeeded(`Registered ${run.facts.name} as ${state}: record ${id}`, { cmdb: { id, state } })
}
