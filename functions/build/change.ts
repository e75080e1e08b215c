import { isDeepStrictEqual } from 'node:util'
import { DroverError } from '../../shared/errors.ts'
import type { Tree } from '../../shared/fleet.ts'
import type { GitOpsSettings } from '../../shared/gitops/application.ts'
import { changed, editedByHand, manifestChanges, toChangeSet } from '../../shared/gitops/change-set.ts'
import { toKept, toRemoval } from '../../shared/gitops/removal.ts'
import type { Guestfs } from '../../shared/images/customize-job.ts'
import { dataDiskLosses } from '../../shared/kubevirt/data-disks.ts'
import { claimOf, dataClaims } from '../../shared/kubevirt/manifest.ts'
import { expecting, readRecord } from '../../shared/ledger.ts'
import { isImageRound, type MachineRound, placeIn, type RoundName, roundOf } from '../../shared/lifecycles.ts'
import { type MachineAddress, placeOf } from '../../shared/machines.ts'
import { definitionFile } from '../../shared/paths.ts'
import { Definition } from '../../shared/schema/definition.ts'
import { readChecked } from '../../shared/schema/read.ts'
import { summary } from '../../shared/schema/show.ts'
import { built, ignored, type Outcome, type Run, refused } from '../../shared/step.ts'
import type { Given } from './edit.ts'
import { edits } from './edits.ts'

/** What a build is told of its surroundings. */
export interface BuildSettings extends GitOpsSettings {
  guestfs: Guestfs
  /** The container image that disks are pushed from; undefined where none is. */
  pushImage?: string | undefined
}

/**
 * Builds the change set of a round on a machine that there is: its definition as Git has it now, edited, and what follows
 * from that. A round that has nothing to change is an empty change set. Changes nothing itself.
 */
export async function change(run: Run, tree: Tree, settings: BuildSettings): Promise<Outcome> {
  const round = roundOf(run.lifecycle, run.task)
  const { name, cluster } = run.facts
  if (!round || round === 'create' || isImageRound(round) || name === undefined || cluster === undefined)
    throw new DroverError('unreadable', `Cannot build ${run.task}: run ${run.id} has found no machine`)
  const late = await tooLate(run, round, tree)
  if (late) return late
  const address = { cluster, namespace: run.request.namespace, name }
  if (round === 'remove') return removal(run, tree, address)
  const before = await readDefinition(tree, address)
  if (Array.isArray(before)) return refused(summary(`Cannot change ${placeOf(address)}`, before))
  const problems = await editedByHand(tree, await manifestChanges(before, tree))
  const after = await edited(before, run, round, { tree, guestfs: settings.guestfs })
  if ('problems' in after) problems.push(...after.problems)
  if (problems.length > 0 || 'problems' in after) return refused(summary(`Cannot change ${placeOf(address)}`, problems))
  return changeSet(run, { before, after }, tree, settings)
}

/** Why a round is not built: its run has ended, or has gone on since. */
export async function tooLate(run: Run, round: RoundName, tree: Tree): Promise<Outcome | undefined> {
  const record = await readRecord(tree, run.id)
  if (record?.state !== 'running') return ignored(`Run ${run.id} has ended: there is nothing to build`)
  return placeIn(run.lifecycle, record.task) > placeIn(run.lifecycle, `${round}.commit`)
    ? ignored(`Run ${run.id} is further than ${round}: its event comes too late`)
    : undefined
}

/** The definition as the round wants it; the same one when it is so already. */
async function edited(before: Definition, run: Run, round: Exclude<MachineRound, 'create' | 'remove'>, given: Given) {
  const operation = `${run.id}.${round}`
  // It was committed before, and its answer lost: an edit is not made twice.
  if (before.operation === operation) return before
  const after = await edits[round](before, run, given)
  return 'problems' in after || isDeepStrictEqual(after, before) ? after : { ...after, operation }
}

async function changeSet(
  run: Run,
  { before, after }: { before: Definition; after: Definition },
  tree: Tree,
  settings: GitOpsSettings,
): Promise<Outcome> {
  if (isDeepStrictEqual(before, after))
    return built(`Nothing to change for ${placeOf(after)}`, { definition: after }, [])
  const kept = leaving(before, after).map((disk) =>
    toKept(before, disk, { run: run.id, since: run.since, claims: run.facts.claims ?? {} }),
  )
  const changes = await changed(tree, [...(await toChangeSet(after, tree, settings)), ...kept])
  const losses = await dataDiskLosses(tree, changes, dataClaims({ ...before, disks: leaving(before, after) }))
  if (losses.length > 0) return refused(summary(`Cannot change ${placeOf(after)}`, losses))
  const message = `Built ${changes.length} files for ${placeOf(after)}`
  return built(message, { definition: after }, await expecting(tree, changes))
}

/** The data disks that a request lets go of by name: they stay on the cluster, beside the machine. */
const leaving = (before: Definition, after: Definition) => {
  const stay = dataClaims(after)
  return before.disks.filter((disk) => !stay.includes(claimOf(before, disk)))
}

async function removal(run: Run, tree: Tree, address: MachineAddress): Promise<Outcome> {
  const definition = await readDefinition(tree, address)
  // The second time the machine has left the fleet already, and the event before said what it was.
  if (Array.isArray(definition)) {
    const known = run.facts.definition
    if (!known) return refused(summary(`Cannot remove ${placeOf(address)}`, definition))
    return built(`Archived ${placeOf(address)} already`, { definition: known }, [])
  }
  const changes = await toRemoval(definition, tree, { run: run.id, since: run.since, claims: run.facts.claims ?? {} })
  const message = `Archived ${placeOf(address)}: ${changes.length} files`
  return built(message, { definition }, await expecting(tree, changes))
}

async function readDefinition(
  tree: Tree,
  { cluster, namespace, name }: MachineAddress,
): Promise<Definition | string[]> {
  const path = definitionFile(cluster, namespace, name)
  const read = await readChecked(tree, path, Definition)
  if (!read) return [`${path} is not there any more`]
  return read.ok ? read.value : read.problems
}
