import { isDeepStrictEqual } from 'node:util'
import { allClaims, dataClaims, isDataVolume, rootDiskName, rootVolume, volumeOf } from './kubevirt/manifest.ts'
import type { Volumes } from './kubevirt/new-disks.ts'
import type { DefinedSnapshot, Definition } from './schema/definition.ts'
import { listed, show } from './schema/show.ts'

/** The object's name in the cluster: snapshots of all machines of a namespace lie side by side. */
export const objectName = ({ name }: Definition, snapshot: string) => `${name}-${snapshot}`

/** The one restore of a run: that of its undo takes the place of its own. */
export const restoreName = (definition: Definition, run: string) => objectName(definition, `restore-${run.slice(0, 8)}`)

/** The machine with one snapshot more. */
export const withSnapshot = (definition: Definition, one: DefinedSnapshot): Definition => ({
  ...definition,
  snapshots: [...(definition.snapshots ?? []), one],
})

/** The same snapshot without an end: a disk is filled from it when its machine starts, and nobody knows when that is. */
export const lasting = ({ until: _, ...snapshot }: DefinedSnapshot): DefinedSnapshot => snapshot

/** A snapshot by the name that its request gave it or, where none has that, by its name in the cluster. */
export function named(definition: Definition, asked: string): DefinedSnapshot | undefined {
  const byName = (wanted: string) => definition.snapshots?.find(({ name }) => name === wanted)
  return byName(objectName(definition, asked)) ?? byName(asked)
}

/** Why a machine cannot be put back to a snapshot; undefined where it can. */
export function restoreProblem(definition: Definition, asked: string): string | undefined {
  const found = named(definition, asked)
  if (!found) return unknownSnapshot(definition, asked)
  const now = allClaims(definition)
  const isOfThem = found.disks.length === now.length && found.disks.every((disk) => now.includes(disk))
  if (isOfThem) return undefined
  // A clone is made of all its disks and no others.
  const hasSameData = dataClaims(definition).every((claim) => found.disks.includes(claim))
  const clone = hasSameData && found.disks.length === now.length ? ', or a clone' : ''
  return `snapshot ${show(asked)} is of ${listed(found.disks)}, and the machine has ${listed(now)} by now: wanted one of its own disks${clone}`
}

/**
 * Why a machine cannot get new disks from a snapshot; undefined where it can. They take the place of those that it has, one
 * for each, and the new root disk is of the image that the machine runs from.
 */
export function newDisksProblem(definition: Definition, found: DefinedSnapshot, volumes: Volumes): string | undefined {
  const { image, rootDisk } = definition
  const others = otherVolumes(definition, found.name, volumes)
  if (others !== undefined) return others
  const root = rootIn(definition, found)
  if (root && isDeepStrictEqual([root.image, root.version], [image, rootDisk.version])) return undefined
  return `snapshot ${show(found.name)} is of another root disk than that of the machine's image: wanted one of its own disks, or a clone`
}

/** The root disk that a snapshot is of, with what it was made from, as long as the machine has that disk. */
export function rootIn(definition: Definition, { disks }: DefinedSnapshot) {
  const { image, rootDisk, oldRoots = [] } = definition
  const roots = [{ name: rootDiskName(definition), image, version: rootDisk.version }, ...oldRoots]
  return roots.find(({ name }) => disks.includes(name))
}

/**
 * That a snapshot has not the very disks of a machine: of one that the machine has let go of since nothing would be made. KubeVirt puts
 * volumes of its own beside them, such as the state of a TPM.
 */
export function otherVolumes(definition: Definition, snapshot: string, volumes: Volumes): string | undefined {
  const own = definition.disks.map(volumeOf)
  const more = Object.keys(volumes).filter((one) => isDataVolume(one) && !own.includes(one))
  const lacking = lackingVolumes(definition, snapshot, volumes)
  if (lacking !== undefined || more.length === 0) return lacking
  return `snapshot ${show(snapshot)} is of ${listed(more)} too, which the machine does not have by now: wanted one of its own disks`
}

/** That a snapshot has not all volumes of a machine. */
export function lackingVolumes({ disks }: Definition, snapshot: string, volumes: Volumes): string | undefined {
  const lacking = [rootVolume, ...disks.map(volumeOf)].filter((one) => !volumes[one])
  return lacking.length === 0 ? undefined : `its snapshot ${show(snapshot)} has no ${listed(lacking)} that can be used`
}

/** That there is no such snapshot, with those that there are. */
export function unknownSnapshot({ name: machine, snapshots = [] }: Definition, asked: string | undefined): string {
  const names = snapshots.map(({ name }) => name.slice(machine.length + 1))
  return `snapshot is ${show(asked)}, wanted one that ${machine} has: ${names.length === 0 ? 'it has none' : listed(names, 20)}`
}
