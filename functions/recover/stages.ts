import { isDeepStrictEqual } from 'node:util'
import { allClaims } from '../../shared/kubevirt/manifest.ts'
import { oldRoot, onNewRoot } from '../../shared/kubevirt/new-disks.ts'
import { type RunRecord, type Stage, stages } from '../../shared/ledger.ts'
import { lifecycleOf, placeIn, type RoundName, roundsOf, writesDisks } from '../../shared/lifecycles.ts'
import type { DefinedSnapshot, Definition } from '../../shared/schema/definition.ts'
import { lasting, objectName, restoreName, withSnapshot } from '../../shared/snapshots.ts'
import type { Facts, SnapshotVolumes } from '../../shared/step.ts'
import { type Growth, withoutGrowth } from './growth.ts'

/** A machine as it was before the run, and as the run has left it in Git. */
export interface Sides {
  before: Definition
  now: Definition
}

/** What comes after a stage, or first; undefined when everything is back. */
export function stageAfter(record: RunRecord, sides: Sides, shown: Shown = {}): Stage | undefined {
  const after = record.stage === undefined ? -1 : stages.indexOf(record.stage)
  return stages.slice(after + 1).find((stage) => isNeeded[stage](record, sides, shown))
}

const isNeeded: Record<Stage, (record: RunRecord, sides: Sides, shown: Shown) => boolean> = {
  off: (record, { before, now }) =>
    isWritten(record, now) || !isSameGuest(before, now) || lastSnapshot(record.run, now) !== undefined,
  keep: (record, { now }, { from, isUnfilled }) =>
    !isUnfilled && isWritten(record, now) && from === undefined && (needsNewRoot(record) || hasStarted(record)),
  disks: (record, { now }) => isWritten(record, now),
  back: () => true,
}

/** True for a round that writes to disks which a machine has; a restore to new disks leaves those as they are. */
const isWriting = (round: RoundName, { restoring }: Facts) =>
  writesDisks(round) && !(round === 'restore' && restoring === 'new disks')

/** True when the run may have written to a disk that the machine still has: what was there before is in its own snapshot. */
export function isWritten({ lifecycle, task, run, facts }: RunRecord, now: Definition): boolean {
  const done = lifecycleOf(lifecycle).tasks.slice(0, placeIn(lifecycle, task) + 1)
  const hasBegun = done.some(({ by, round }) => by === 'commit' && round && isWriting(round, facts))
  return hasBegun && wayBack(run, now) !== undefined
}

/**
 * True where a new root disk takes the place of the one that was changed: of a run that writes to no other. A restore would take back from
 * the data disks what a guest has written to them since, which somebody may have started by hand before its time.
 */
export const needsNewRoot = ({ lifecycle }: RunRecord): boolean =>
  roundsOf(lifecycle).filter(writesDisks).join() === 'patch'

/** True once a guest may have run from the disks that a run has made or written to. */
function hasStarted({ lifecycle, task, facts }: RunRecord): boolean {
  const start = placeIn(lifecycle, 'start.commit')
  return facts.wasRunning !== false && start >= 0 && placeIn(lifecycle, task) >= start
}

/** The snapshot that a run has taken to go back to. */
export const wayBack = (run: string, { snapshots = [] }: Definition) =>
  snapshots.find((one) => one.run === run && one.purpose === 'undo')

/** The last snapshot of a machine that was to go: it is protected, so that it outlives the machine. */
const lastSnapshot = (run: string, { snapshots = [] }: Definition) =>
  snapshots.find((one) => one.run === run && one.purpose === 'final')

/** True when nothing differs that a running guest would have to be stopped for. */
const isSameGuest = (before: Definition, now: Definition) =>
  isDeepStrictEqual(
    [before.size, before.rootDisk.name, before.image, names(before)],
    [now.size, now.rootDisk.name, now.image, names(now)],
  )

const names = ({ disks }: Definition) => disks.map(({ name, claim }) => claim ?? name)

/** What the cluster has shown that an undo goes by. */
export interface Shown {
  /** What a new root disk is made from, where that is the way. */
  from?: SnapshotVolumes | undefined
  /**
   * True while a disk that was put back is to be filled from its snapshot once the machine starts: no guest ran from it, no snapshot of it
   * would ever be ready, and what it is filled from has to stay.
   */
  isUnfilled?: boolean
  /** True where a claim of its data came anew and is not put back: what was on it is in the run's own snapshot alone, which has to stay. */
  isLost?: boolean
  /** The disks that were to grow and that the cluster has not let grow. */
  ungrown?: readonly Growth[]
}

/** What the machine is to be in each stage. */
export function aimOf(
  stage: Stage,
  record: RunRecord,
  given: Sides,
  { from, isUnfilled = false, isLost = false, ungrown = [] }: Shown = {},
): Definition {
  const { run } = record
  const sides = { ...given, now: withoutGrowth(given.now, ungrown) }
  const { now } = sides
  const { restore: _, migration: __, patch: ___, ...rest } = now
  if (stage === 'off') return unprotected({ ...rest, running: false, operation: `${run}.undo-off` }, run)
  if (stage === 'keep') return keeping({ ...rest, running: false, operation: `${run}.undo-keep` }, run)
  if (stage === 'disks') {
    const { name: snapshot = '', until = '' } = wayBack(run, now) ?? {}
    const off = { ...rest, running: false, operation: `${run}.undo-disks` }
    const atOnce = record.facts.wasRunning === false
    if (from) return onNewRoot(off, { root: undoRoot(run, now), volumes: from.volumes, until, atOnce })
    return { ...off, pinned: true, restore: { name: restoreName(now, run), snapshot, replaces: true } }
  }
  const source = isUnfilled || isLost ? wayBack(run, now) : undefined
  const back = asBefore(sides, [keptSnapshot(run, now) ?? [], source ? lasting(source) : []].flat())
  if (!isOnNewRoot(run, now)) return isOnRestoredRoot(record, sides) ? withRestoredRoot(back, run, now) : back
  // What it ran from before is what was changed: it stays beside, until its time is over.
  const { rootDisk, oldRoots = [] } = now
  return { ...back, rootDisk, oldRoots }
}

/** The machine with a snapshot of its disks as they are now, for as long as the way back would have been kept. */
function keeping(definition: Definition, run: string): Definition {
  const { taken = '', until } = wayBack(run, definition) ?? {}
  const kept = { name: keptName(run, definition), purpose: 'asked', run, disks: allClaims(definition), taken } as const
  return withSnapshot(definition, { ...kept, ...(until && { until }) })
}

/** The snapshot that an undo has taken of what a guest had written until then. */
export const keptSnapshot = (run: string, definition: Definition) =>
  definition.snapshots?.find(({ name }) => name === keptName(run, definition))

const keptName = (run: string, definition: Definition) => objectName(definition, `undone-${run.slice(0, 8)}`)

/** True where a guest may have written to a root disk that a restore has made from a snapshot. */
const isOnRestoredRoot = (record: RunRecord, { before, now }: Sides) =>
  hasStarted(record) && now.rootDisk.snapshot !== undefined && before.rootDisk.name !== now.rootDisk.name

/** That disk stays beside the machine, with what a guest may have written to it, for as long as the way back would have. */
function withRestoredRoot(back: Definition, run: string, now: Definition): Definition {
  const { until } = wayBack(run, now) ?? {}
  return until === undefined ? back : { ...back, oldRoots: [...(back.oldRoots ?? []), oldRoot(now, until)] }
}

/** True once the undo of this run has put a new root disk in the place of one that was changed. */
export const isOnNewRoot = (run: string, now: Definition) => now.rootDisk.name === undoRoot(run, now)

const undoRoot = (run: string, { name }: Definition) => `${name}-root-undo-${run.slice(0, 8)}`

/** The last snapshot as any other, for Argo CD removes nothing that is protected: the next stage takes it away. */
function unprotected(definition: Definition, run: string): Definition {
  const last = lastSnapshot(run, definition)
  const { snapshots = [], ...rest } = definition
  if (!last) return definition
  return { ...rest, snapshots: snapshots.map((one) => (one === last ? { ...one, purpose: 'asked' } : one)) }
}

/** The definition as it was, but for what cannot be undone: a disk that has grown, a snapshot that was let go of, one that was taken. */
function asBefore({ before, now }: Sides, kept: readonly DefinedSnapshot[]): Definition {
  const grown = <D extends { size: string; made?: string }>(disk: D, other: D | undefined): D =>
    other?.made === undefined ? disk : { ...disk, size: other.size, made: other.made }
  const { snapshots = [], ...rest } = before
  const still = snapshots.filter(({ name }) => now.snapshots?.some((one) => one.name === name))
  const left = [...still, ...kept]
  return {
    ...rest,
    ...(now.pinned && { pinned: true }),
    rootDisk: before.rootDisk.name === now.rootDisk.name ? grown(before.rootDisk, now.rootDisk) : before.rootDisk,
    disks: before.disks.map((disk) =>
      grown(
        disk,
        now.disks.find(({ name }) => name === disk.name),
      ),
    ),
    ...(left.length > 0 ? { snapshots: left } : {}),
  }
}
