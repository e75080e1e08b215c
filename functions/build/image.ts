import { isDeepStrictEqual } from 'node:util'
import { DroverError } from '../../shared/errors.ts'
import type { Tree } from '../../shared/fleet.ts'
import { changed, editedByHand, imageManifestChanges, toImageChangeSet } from '../../shared/gitops/change-set.ts'
import { expecting } from '../../shared/ledger.ts'
import { isImageRound, roundOf } from '../../shared/lifecycles.ts'
import { imageFile } from '../../shared/paths.ts'
import { GoldenImage } from '../../shared/schema/golden-image.ts'
import { readChecked } from '../../shared/schema/read.ts'
import { summary } from '../../shared/schema/show.ts'
import { built, type Outcome, type Run, refused } from '../../shared/step.ts'
import { type BuildSettings, tooLate } from './change.ts'
import { imageEdits } from './edits/golden-image.ts'

/**
 * Builds the change set of a round on a golden image: its definition as Git has it now, edited, and what follows from that.
 * A round that has nothing to do is an empty change set. Changes nothing itself.
 */
export async function buildImage(run: Run, tree: Tree, settings: BuildSettings): Promise<Outcome> {
  const round = roundOf(run.lifecycle, run.task)
  const { name } = run.facts
  if (!round || !isImageRound(round) || name === undefined)
    throw new DroverError('unreadable', `Cannot build ${run.task}: run ${run.id} holds no image`)
  const late = await tooLate(run, round, tree)
  if (late) return late
  const read = await readChecked(tree, imageFile(name), GoldenImage)
  if (read && !read.ok) return refused(summary(`Cannot change image ${name}`, read.problems))
  const before = read?.value
  const problems = before ? await editedByHand(tree, await imageManifestChanges(before, tree)) : []
  const operation = `${run.id}.${round}`
  // It was committed before, and its answer lost: an edit is not made twice.
  const after = before?.operation === operation ? before : await imageEdits[round](before, run, { tree, ...settings })
  if ('problems' in after) problems.push(...after.problems)
  if (problems.length > 0 || 'problems' in after) return refused(summary(`Cannot change image ${name}`, problems))
  if (isDeepStrictEqual(before, after)) return built(`Nothing to change for image ${name}`, { image: after }, [])
  const image = { ...after, operation }
  const changes = await changed(tree, await toImageChangeSet(image, tree, settings))
  return built(`Built ${changes.length} files for image ${name}`, { image }, await expecting(tree, changes))
}
