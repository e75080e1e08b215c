import { isDeepStrictEqual } from 'node:util'
import { DroverError } from '../errors.ts'
import type { Change, Tree } from '../fleet.ts'
import { tidyImage } from '../images/tidy.ts'
import { dataDiskLosses } from '../kubevirt/data-disks.ts'
import { render } from '../kubevirt/render.ts'
import type { MachineAddress } from '../machines.ts'
import { definitionFile, imageFile, manifestsFolder } from '../paths.ts'
import { Definition } from '../schema/definition.ts'
import { GoldenImage } from '../schema/golden-image.ts'
import { readChecked } from '../schema/read.ts'
import { toYaml } from '../yaml.ts'
import { changed, fileName, imageChanges } from './change-set.ts'
import { dueChanges, isExpired } from './due.ts'

/**
 * What leaves a machine's definition when a run closes: what only that run needed, and what was kept until now; with a note
 * of when to look again. Nothing of it is in use: a machine is never changed by it.
 */
export async function tidied(tree: Tree, { cluster, namespace, name }: MachineAddress, now: string): Promise<Change[]> {
  const path = definitionFile(cluster, namespace, name)
  const read = await readChecked(tree, path, Definition)
  if (!read?.ok) return []
  const next = tidy(read.value, now)
  const due = await dueChanges(tree, next)
  if (isDeepStrictEqual(next, read.value)) return due
  return [{ path, content: toYaml(next) }, ...(await leaving(tree, read.value, next)), ...due]
}

/** The same of a golden image. */
export async function tidiedImage(tree: Tree, name: string): Promise<Change[]> {
  const read = await readChecked(tree, imageFile(name), GoldenImage)
  return read?.ok ? changed(tree, await imageChanges(tidyImage(read.value), tree)) : []
}

/** A definition without what is over. */
function tidy(
  { restore: _, migration: __, nextRoot: ___, patch: ____, ...definition }: Definition,
  now: string,
): Definition {
  return withoutExpired(definition, now)
}

/** What leaves the definition of a machine that nobody holds, and what it is then; nothing of a machine that is not there. */
export async function expired(
  tree: Tree,
  { cluster, namespace, name }: MachineAddress,
  now: string,
): Promise<{ changes: Change[]; definition?: Definition }> {
  const path = definitionFile(cluster, namespace, name)
  const read = await readChecked(tree, path, Definition)
  if (!read) return { changes: [] }
  if (!read.ok) throw new DroverError('refused', read.problems.join('; '))
  const definition = withoutExpired(read.value, now)
  if (isDeepStrictEqual(definition, read.value)) return { changes: [], definition }
  return {
    changes: [{ path, content: toYaml(definition) }, ...(await leaving(tree, read.value, definition))],
    definition,
  }
}

/** The manifests that a definition stood for and does not any more. Files that it did not render to are somebody else's, and stay. */
async function leaving(tree: Tree, before: Definition, after: Definition): Promise<Change[]> {
  const { cluster, namespace, name } = before
  const stay = render(after).map(fileName)
  const gone = render(before)
    .map(fileName)
    .filter((file) => !stay.includes(file))
    .map((file): Change => ({ path: `${manifestsFolder(cluster, namespace, name)}/${file}`, content: null }))
  const losses = await dataDiskLosses(tree, gone)
  if (losses.length > 0) throw new DroverError('refused', losses.join('; '))
  return gone
}

/** A definition without the old root disks and snapshots that are past their time. */
function withoutExpired({ oldRoots = [], snapshots = [], ...rest }: Definition, now: string): Definition {
  const expired = isExpired(now)
  const roots = oldRoots.filter((one) => !expired(one))
  const left = snapshots.filter((one) => !expired(one))
  return {
    ...rest,
    ...(roots.length > 0 ? { oldRoots: roots } : {}),
    ...(left.length > 0 ? { snapshots: left } : {}),
  }
}
