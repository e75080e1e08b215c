import type { Fleet } from '../../shared/fleet.ts'
import { keptUntil, newRootName } from '../../shared/kubevirt/new-disks.ts'
import { roundsOf, writesDisks } from '../../shared/lifecycles.ts'
import { definitionFile } from '../../shared/paths.ts'
import { bytes } from '../../shared/quantity.ts'
import { requestOf } from '../../shared/request.ts'
import { Definition } from '../../shared/schema/definition.ts'
import { readChecked } from '../../shared/schema/read.ts'
import type { Run } from '../../shared/step.ts'
import { isOnNewRoot, keptSnapshot, wayBack } from './stages.ts'

/**
 * What an undo leaves of a machine that was there before and that is otherwise than it was, as sentences for its requester; empty where
 * that is nothing. It is read from the definition: the run's record is gone by then.
 */
export async function leftOf(run: Run, fleet: Fleet): Promise<string> {
  const { name, cluster, wasReady, hadAgent } = run.facts
  if (name === undefined || cluster === undefined) return ''
  const read = await readChecked(await fleet.head(), definitionFile(cluster, run.request.namespace, name), Definition)
  if (!read?.ok) return ''
  const machine = read.value
  const left = [
    ...(wasReady === false ? ['The machine was not ready before either'] : []),
    ...(hadAgent === false ? ['Its guest agent did not speak before either'] : []),
    ...rootsIn(run, machine),
    ...grownIn(run, machine),
    ...(await snapshotsIn(run, machine, fleet)),
  ]
  return left.map((sentence) => `. ${sentence}`).join('')
}

/** The root disks that an undo has made, or left beside the machine. */
function rootsIn({ id }: Run, machine: Definition): string[] {
  const { rootDisk, oldRoots = [] } = machine
  const changed = isOnNewRoot(id, machine) ? oldRoots.at(-1) : undefined
  const restored = oldRoots.find((one) => one.name === newRootName(machine.name, id))
  return [
    ...(changed
      ? [
          `Its root disk is ${rootDisk.name}, made from its snapshot; the one that was changed, ${changed.name}, is ${keptUntil(changed)}`,
        ]
      : []),
    ...(restored ? [`The root disk that was made for it, ${restored.name}, is ${keptUntil(restored)}`] : []),
  ]
}

/** No disk shrinks. */
function grownIn(run: Run, { rootDisk, disks }: Definition): string[] {
  if (!roundsOf(run.lifecycle).includes('resize')) return []
  const { grow = {} } = requestOf(run, 'resize')
  const grown = [{ ...rootDisk, name: 'root' }, ...disks].filter(
    ({ name, size, made }) => made !== undefined && bytes(grow[name] ?? '0') === bytes(size),
  )
  return grown.length === 0
    ? []
    : [`What has grown stays so: ${grown.map(({ name, size }) => `${name} ${size}`).join(', ')}`]
}

/** Where there is what a guest had written until its disks were put back, and what those are still to be filled from. */
async function snapshotsIn(run: Run, machine: Definition, fleet: Fleet): Promise<string[]> {
  const { id, lifecycle, facts, horizon } = run
  const rounds = roundsOf(lifecycle)
  if (!rounds.includes('save')) return []
  const kept = keptSnapshot(id, machine)
  const source = wayBack(id, machine)
  const writing = rounds.find(writesDisks)
  const arePutBack =
    facts.restoring !== 'new disks' &&
    !isOnNewRoot(id, machine) &&
    writing !== undefined &&
    (await fleet.find(id, `${writing}.commit`, horizon)) !== undefined
  return [
    ...(kept ? [`What was written to its disks until then is in snapshot ${kept.name}`] : []),
    ...(source && !source.until ? [(arePutBack ? fillingSentence : lossSentence)(source.name, machine)] : []),
  ]
}

/** It holds what was on a data disk that came anew, or is what a new root disk is filled from. */
const lossSentence = (snapshot: string) =>
  `Snapshot ${snapshot} stays until somebody lets it go: what is in it may be nowhere else`

/** Nobody knows whether a disk has been filled, so the snapshot has no end. */
function fillingSentence(snapshot: string, { running }: Definition): string {
  return running
    ? `Its disks were filled from snapshot ${snapshot}, which stays until somebody lets it go`
    : `Its disks are filled from snapshot ${snapshot} when it starts, and not before`
}
