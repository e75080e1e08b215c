import { valueAt } from '../dict.ts'
import type { Change, Tree } from '../fleet.ts'
import { keptDiskIn } from '../paths.ts'
import { bytes } from '../quantity.ts'
import type { Definition } from '../schema/definition.ts'
import { listed } from '../schema/show.ts'
import { parseYaml } from '../yaml.ts'
import { claimOf, diskLabel } from './manifest.ts'

/**
 * What a change set would do to data disks that nobody asked for: a sentence for each one it would remove or shrink. One
 * that a request lets go of by name (`released`, the names of claims) may leave Git.
 */
export async function dataDiskLosses(
  tree: Tree,
  changes: readonly Change[],
  released: readonly string[] = [],
): Promise<string[]> {
  const losses = await Promise.all(
    changes.map(async ({ path, content }) => {
      if (!diskFile.test(path)) return undefined
      const before = toDataDisk(await tree.read(path), path)
      if (before && content === null && released.includes(before.name)) return undefined
      return before && lossOf(before, content === null ? undefined : toDataDisk(content, path), path)
    }),
  )
  return losses.filter((loss) => loss !== undefined)
}

/** The only files that can be a disk: of the others nothing is read, for Git may have to fetch them. */
const diskFile = /\/(datavolume|persistentvolumeclaim)-[^/]+\.yaml$/

/** The claims of which a change set says itself that they are kept, in a note of their own (`keptFile`). */
export const notedAsKept = (changes: readonly Change[]): string[] =>
  changes.flatMap(({ path, content }) => (content === null ? [] : (keptDiskIn(path) ?? [])))

interface DataDisk {
  name: string
  /** A disk that is made from a snapshot says none: it has that of the snapshot. */
  size: string | undefined
}

function lossOf(before: DataDisk, after: DataDisk | undefined, path: string): string | undefined {
  if (after?.name !== before.name) return `${path} would remove the data disk "${before.name}"`
  if (before.size === undefined) return undefined
  if (after.size === undefined)
    return `${path} would make the data disk "${before.name}" anew: it says no size any more`
  if (bytes(after.size) < bytes(before.size))
    return `${path} would shrink the data disk "${before.name}" from ${before.size} to ${after.size}`
  return undefined
}

function toDataDisk(text: string | undefined, path: string): DataDisk | undefined {
  if (!text?.includes(diskLabel)) return undefined
  const object = parseYaml(text, path)
  const kind = valueAt(object, ['kind'])
  // Of a disk that has grown, its claim says how large it is now.
  if (kind !== 'DataVolume' && kind !== 'PersistentVolumeClaim') return undefined
  if (valueAt(object, ['metadata', 'labels', diskLabel]) !== 'data') return undefined
  const size = valueAt(object, [
    'spec',
    ...(kind === 'DataVolume' ? ['storage'] : []),
    'resources',
    'requests',
    'storage',
  ])
  return {
    name: String(valueAt(object, ['metadata', 'name'])),
    size: size === undefined ? undefined : String(size),
  }
}

/** The claims of the data disks that stay when their machine goes. */
export const stayingClaims = (definition: Definition): string[] =>
  definition.disks.flatMap((disk) => (disk.destroyed ? [] : [claimOf(definition, disk)]))

/** The claims of those that a request wants destroyed, which go with it. */
export const destroyedClaims = (definition: Definition): string[] =>
  definition.disks.flatMap((disk) => (disk.destroyed ? [claimOf(definition, disk)] : []))

/** Data disks that a de-provisioning was to destroy which has not come to its end: nothing keeps them but that nobody changes the machine. */
export const markedDisks = ({ disks }: Definition): string[] =>
  disks.flatMap(({ name, destroyed }) => (destroyed ? [name] : []))

export const markedSentence = (disks: readonly string[]): string =>
  `a de-provisioning that was not finished has marked ${listed(disks)} to be destroyed. Put the machine's files back to what they were before it`
