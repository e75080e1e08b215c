import { allClaims } from './kubevirt/manifest.ts'
import type { DefinedSnapshot, Definition } from './schema/definition.ts'
import { listed, show } from './schema/show.ts'

/** The object's name in the cluster: snapshots of all machines of a namespace lie side by side. */
export const objectName = ({ name }: Definition, snapshot: string) => `${name}-${snapshot}`

/** A snapshot by the name that its request gave it, or by its name in the cluster. */
export const named = (definition: Definition, asked: string): DefinedSnapshot | undefined =>
  definition.snapshots?.find(({ name }) => name === objectName(definition, asked) || name === asked)

/** Why a machine cannot be put back to a snapshot; undefined where it can. */
export function restoreProblem(definition: Definition, asked: string): string | undefined {
  const found = named(definition, asked)
  if (!found) return unknownSnapshot(definition, asked)
  const now = allClaims(definition)
  const isOfThem = found.disks.length === now.length && found.disks.every((disk) => now.includes(disk))
  if (isOfThem) return undefined
  return `snapshot ${show(asked)} is of ${listed(found.disks)}, and the machine has ${listed(now)} by now: wanted one of its own disks, or a clone`
}

/** That there is no such snapshot, with those that there are. */
export function unknownSnapshot({ name: machine, snapshots = [] }: Definition, asked: string | undefined): string {
  const names = snapshots.map(({ name }) => name.slice(machine.length + 1))
  return `snapshot is ${show(asked)}, wanted one that ${machine} has: ${names.length === 0 ? 'it has none' : listed(names, 20)}`
}
