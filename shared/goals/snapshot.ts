import type { MachineView, Snapshot } from '../machines.ts'
import type { DefinedSnapshot } from '../schema/definition.ts'
import { type Assessment, failed, reached, waiting } from './assessment.ts'
import type { Aim, Goal } from './goal.ts'
import { troubleOfSync } from './ready.ts'
import { words } from './words.ts'

/** Every snapshot that this run has written down can be used; with none of them there is nothing to wait for. */
export const snapshotted: Goal = {
  extras: ['snapshots'],
  assess(view, aim) {
    const own = (aim.definition.snapshots ?? []).filter(({ run }) => run === aim.run)
    const open = own.map((one) => assessOne(one, view)).find(({ state }) => state !== 'reached')
    return open ?? troubleOf(view, own) ?? reached(sentence(own, view, aim))
  },
}

const troubleOf = (view: MachineView, own: readonly DefinedSnapshot[]) =>
  own.length === 0 ? undefined : troubleOfSync(view)

function assessOne({ name }: DefinedSnapshot, view: MachineView): Assessment {
  const found = view.snapshots?.find(({ metadata }) => metadata.name === name)
  if (!found) return troubleOfSync(view) ?? waiting(`snapshot ${name} is not there yet`)
  const { phase = 'InProgress', readyToUse, error, conditions } = found.status ?? {}
  if (phase === 'Failed')
    return failed(`snapshot ${name} failed: ${error?.message ?? words(conditions, 'no reason given')}`)
  // It is tried again until its deadline; then it is Failed.
  if (!readyToUse) return waiting(`snapshot ${name} is ${phase}${error?.message ? `: ${error.message}` : ''}`)
  return reached(`snapshot ${name} is ready`)
}

function sentence(own: readonly DefinedSnapshot[], view: MachineView, { definition, facts }: Aim): string {
  const [first] = own
  if (!first) return 'No snapshot is to be taken'
  const found = view.snapshots?.find(({ metadata }) => metadata.name === first.name)
  return `Took snapshot ${first.name} of VM ${definition.name}, ${how(found, facts.wasRunning === false)}`
}

/** Whether the guest knew of it: without its agent the disks are as after a power cut. */
function how(found: Snapshot | undefined, wasOff: boolean): string {
  const { sourceIndications, indications = [] } = found?.status ?? {}
  const all = sourceIndications?.map(({ indication }) => indication) ?? indications
  if (all.includes('GuestAgent')) return 'quiesced by its guest agent'
  if (all.includes('NoGuestAgent')) return 'not quiesced: its guest has no agent, so the disks are as after a power cut'
  return all.includes('Online') ? 'while it ran' : wasOff ? 'while it was off' : 'of its disks at rest'
}
