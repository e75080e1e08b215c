import { allClaims, isKept, rootVolume, volumeOf } from '../kubevirt/manifest.ts'
import type { MachineView, Snapshot } from '../machines.ts'
import type { DefinedSnapshot, Definition } from '../schema/definition.ts'
import { listed } from '../schema/show.ts'
import { type Assessment, failed, reached, troubled, waiting } from './assessment.ts'
import type { Aim, Goal } from './goal.ts'
import { heldBy } from './stopped.ts'
import { troubleOfSync } from './trouble.ts'
import { words } from './words.ts'

/**
 * Every snapshot that this run has written down can be used, and what it has let go of is gone. With none of them there is
 * nothing to wait for.
 */
export const snapshotted: Goal = {
  extras: ['snapshots'],
  assess(view, aim) {
    const { snapshots = [], name } = aim.definition
    const own = snapshots.filter(({ run }) => run === aim.run)
    const open = own.map((one) => assessOne(one, view, aim)).find(({ state }) => state !== 'reached')
    if (open) return open
    // The last snapshot of a machine that had the name before lies there until somebody deletes it.
    const stale = (view.snapshots ?? []).find(
      ({ metadata }) => !isKept(metadata) && !snapshots.some((one) => one.name === metadata.name),
    )
    if (stale) return troubleOfSync(view) ?? waiting(`snapshot ${stale.metadata.name} is still there`)
    const message = own.length > 0 ? sentence(own, view, aim) : `VM ${name} has ${listOf(snapshots)}`
    return reached(message, { report: [message] })
  },
}

/**
 * The same of the snapshot to go back to. What comes next may write to the disks of a machine that is off: it must be off
 * still, and nobody may have come to hold them meanwhile.
 */
export const saved: Goal = {
  ...snapshotted,
  async confirm(aim, machines, view) {
    const { cluster, namespace, running } = aim.definition
    const held = running ? undefined : await heldBy(machines, cluster, namespace, allClaims(aim.definition))
    return held ?? snapshotted.assess(view, aim)
  },
}

const listOf = (snapshots: readonly DefinedSnapshot[]) =>
  snapshots.length === 0
    ? 'no snapshot'
    : `the snapshots ${snapshots.map(({ name, taken, until }) => `${name} (taken ${taken}${until ? `, kept until ${until}` : ''})`).join(', ')}`

function assessOne({ name, purpose }: DefinedSnapshot, view: MachineView, { definition, run }: Aim): Assessment {
  const found = view.snapshots?.find(({ metadata }) => metadata.name === name)
  if (!found) return troubleOfSync(view) ?? waiting(`snapshot ${name} is not there yet`)
  const { phase = 'InProgress', readyToUse, error, conditions } = found.status ?? {}
  if (phase === 'Failed') return failed(`snapshot ${name} failed: ${error?.message ?? words(conditions)}`)
  // It is tried again until its deadline; then it is Failed.
  if (!readyToUse && error?.message) return troubled(`snapshot ${name} failed and is tried again: ${error.message}`)
  if (!readyToUse) return waiting(`snapshot ${name} is ${phase}`)
  const lacking = lackingIn(found, definition)
  // What is there to go back to, or all that is left, has to be whole. The undo of a run makes do with what there is.
  if (lacking.length > 0 && purpose !== 'asked' && definition.operation === `${run}.save`)
    return failed(`snapshot ${name} has no ${listed(lacking)}: there is no VolumeSnapshotClass for its storage`)
  return reached(`snapshot ${name} is ready`)
}

/** The disks of a machine that KubeVirt has left out of a snapshot. */
function lackingIn({ status }: Snapshot, { disks }: Definition): string[] {
  const { excludedVolumes = [] } = status?.snapshotVolumes ?? {}
  return [rootVolume, ...disks.map(volumeOf)].filter((volume) => excludedVolumes.includes(volume))
}

function sentence(own: readonly DefinedSnapshot[], view: MachineView, { definition, facts }: Aim): string {
  const found = view.snapshots?.find(({ metadata }) => metadata.name === own[0]?.name)
  const lacking = found ? lackingIn(found, definition) : []
  const without = lacking.length > 0 ? `, without ${listed(lacking)}, whose storage has no VolumeSnapshotClass` : ''
  return `Took snapshot ${own[0]?.name} of VM ${definition.name}${without}, ${how(found, facts.wasRunning === false)}`
}

/** Whether the guest knew of it: without its agent the disks are as after a power cut. */
function how(found: Snapshot | undefined, wasOff: boolean): string {
  const { sourceIndications, indications = [] } = found?.status ?? {}
  const all = sourceIndications?.map(({ indication }) => indication) ?? indications
  // The agent was asked, and could not: KubeVirt takes the snapshot all the same.
  if (all.includes('QuiesceFailed'))
    return 'not quiesced: its guest agent could not, so the disks are as after a power cut'
  if (all.includes('Paused')) return 'while it was paused'
  if (all.includes('GuestAgent')) return 'quiesced by its guest agent'
  if (all.includes('NoGuestAgent')) return 'not quiesced: its guest has no agent, so the disks are as after a power cut'
  return all.includes('Online') ? 'while it ran' : wasOff ? 'while it was off' : 'of its disks at rest'
}
