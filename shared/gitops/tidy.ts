import { isDeepStrictEqual } from 'node:util'
import type { Change, Tree } from '../fleet.ts'
import { tidyImage } from '../images/tidy.ts'
import type { MachineAddress } from '../machines.ts'
import { definitionFile, imageFile } from '../paths.ts'
import { Definition } from '../schema/definition.ts'
import { GoldenImage } from '../schema/golden-image.ts'
import { readChecked } from '../schema/read.ts'
import { toYaml } from '../yaml.ts'
import { changed, imageChanges, manifestChanges } from './change-set.ts'

/**
 * What leaves a machine's definition when a run closes: what only that run needed, and what was kept until now. Nothing of
 * it is in use: a machine is never changed by it.
 */
export async function tidied(tree: Tree, { cluster, namespace, name }: MachineAddress, now: string): Promise<Change[]> {
  const path = definitionFile(cluster, namespace, name)
  const read = await readChecked(tree, path, Definition)
  if (!read?.ok) return []
  const next = tidy(read.value, now)
  if (isDeepStrictEqual(next, read.value)) return []
  const stale = (await manifestChanges(next, tree)).filter(({ content }) => content === null)
  return [{ path, content: toYaml(next) }, ...stale]
}

/** The same of a golden image. */
export async function tidiedImage(tree: Tree, name: string): Promise<Change[]> {
  const read = await readChecked(tree, imageFile(name), GoldenImage)
  return read?.ok ? changed(tree, await imageChanges(tidyImage(read.value), tree)) : []
}

/** A definition without what is over. */
export function tidy(
  { restore: _, migration: __, nextRoot: ___, patch: ____, ...definition }: Definition,
  now: string,
): Definition {
  const { oldRoots = [], snapshots = [], ...rest } = definition
  const isDue = ({ until }: { until?: string }) => until !== undefined && Date.parse(until) <= Date.parse(now)
  const roots = oldRoots.filter((one) => !isDue(one))
  const left = snapshots.filter((one) => !isDue(one))
  return {
    ...rest,
    ...(roots.length > 0 ? { oldRoots: roots } : {}),
    ...(left.length > 0 ? { snapshots: left } : {}),
  }
}
