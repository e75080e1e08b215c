import { keptDays } from '../days.ts'
import type { Definition, SpareRoot } from '../schema/definition.ts'
import { addedDiskName, rootDiskName, rootVolume, volumeOf } from './manifest.ts'

/**
 * Disks that are made from a snapshot and take the place of those in use. Nothing that there is is written to or removed. One that has
 * grown since grows again: its size is the definition's.
 */

/** The VolumeSnapshots that a snapshot of a machine is made of, by the machine's volume. */
export type Volumes = Record<string, string>

/** What takes the place of a root disk, and until when that one is kept. */
export interface Replacement {
  /** The name of the new root disk. */
  root: string
  volumes: Volumes
  until: string
  /**
   * Whether they are bound and filled without the machine: where that stays off. Else they are bound for its pod, for a class that waits
   * for one may choose another zone for each disk by itself.
   */
  atOnce: boolean
}

/** The root disk that is in use, as it is kept beside the one that takes its place; without an end until that one has been used. */
export const oldRoot = (definition: Definition, until: string | undefined): SpareRoot => ({
  ...definition.rootDisk,
  name: rootDiskName(definition),
  image: definition.image,
  ...(until !== undefined && { until }),
})

/** Until when an old root disk is kept, for people. */
export const keptUntil = ({ until }: { until?: string | undefined }): string =>
  until === undefined ? `kept until ${keptDays} days after the machine is turned on` : `kept until ${until}`

/** The machine on a new root disk, unless a snapshot has none. */
export function onNewRoot(definition: Definition, { root, volumes, until, atOnce }: Replacement): Definition {
  const { oldRoots = [], rootDisk } = definition
  const snapshot = volumes[rootVolume]
  if (snapshot === undefined) return definition
  return {
    ...definition,
    rootDisk: { ...madeFrom(snapshot, rootDisk, atOnce), name: root },
    oldRoots: [...oldRoots, oldRoot(definition, until)],
  }
}

/** The root disk that a run makes from a snapshot. */
export const newRootName = (machine: string, run: string) => `${machine}-root-${run.slice(0, 8)}`

/** The machine on new disks alone; the old data disks leave the definition, and stay on the cluster. */
export function onNewDisks(
  definition: Definition,
  { run, ...replacement }: Omit<Replacement, 'root'> & { run: string },
): Definition {
  const { name } = definition
  const root = newRootName(name, run)
  const disks = definition.disks.map((disk) => {
    const snapshot = replacement.volumes[volumeOf(disk)]
    if (snapshot === undefined) return disk
    return { ...madeFrom(snapshot, disk, replacement.atOnce), claim: addedDiskName(name, disk.name, run) }
  })
  return { ...onNewRoot(definition, { root, ...replacement }), disks }
}

const madeFrom = <D extends { atOnce?: boolean }>(snapshot: string, { atOnce: _, ...disk }: D, atOnce: boolean) => ({
  ...disk,
  snapshot,
  ...(atOnce && { atOnce }),
})
