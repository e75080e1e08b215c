import { dayOf, isDay } from '../days.ts'
import type { Change, Tree } from '../fleet.ts'
import type { MachineAddress } from '../machines.ts'
import { definitionFile, dueFile, dueFolder } from '../paths.ts'
import { Definition } from '../schema/definition.ts'
import { namesIn, readChecked } from '../schema/read.ts'
import { toYaml } from '../yaml.ts'

/**
 * Notes of when to look at a machine again, by day, so that nobody reads the whole fleet to find what is over. A note is no
 * more than that: what is over is said by the definition alone, and a note that is out of date does no harm.
 */

/** What a definition keeps for a time: old root disks and snapshots. */
const keptIn = ({ oldRoots = [], snapshots = [] }: Definition) => [...oldRoots, ...snapshots]

/** True for what is past its time. */
export const isExpired =
  (now: string) =>
  ({ until }: { until?: string }): boolean =>
    until !== undefined && Date.parse(until) <= Date.parse(now)

/** The note of a machine, where it keeps something for a time and has none of that day yet. */
export async function dueChanges(tree: Tree, definition: Definition): Promise<Change[]> {
  const times = keptIn(definition).flatMap(({ until }) => (until === undefined ? [] : [Date.parse(until)]))
  const known = times.filter((time) => !Number.isNaN(time))
  if (known.length === 0) return []
  return noted(tree, definition, dayOf(new Date(Math.min(...known))))
}

/** The same of a machine as the fleet has it. */
export async function dueChangesOf(tree: Tree, { cluster, namespace, name }: MachineAddress): Promise<Change[]> {
  const read = await readChecked(tree, definitionFile(cluster, namespace, name), Definition)
  return read?.ok ? dueChanges(tree, read.value) : []
}

/** A note of a day. */
export async function noted(tree: Tree, address: MachineAddress, day: string): Promise<Change[]> {
  const { cluster, namespace, name } = address
  const path = dueFile(day, cluster, namespace, name)
  return (await tree.oid(path)) === undefined ? [{ path, content: toYaml({ cluster, namespace, name }) }] : []
}

/** A machine to be looked at, and the note that says so. */
export interface Due {
  path: string
  address: MachineAddress
}

/** The notes of the days before one, the oldest first. They are read a folder at a time, as far as somebody wants more. */
export async function* dueBefore(tree: Tree, day: string): AsyncGenerator<Due> {
  const days = (await tree.list(dueFolder)).map(({ name }) => name).filter((one) => isDay(one) && one < day)
  for (const one of days.sort()) {
    for (const { name: part } of await tree.list(`${dueFolder}/${one}`)) {
      const folder = `${dueFolder}/${one}/${part}`
      for (const note of await namesIn(tree, folder)) {
        const address = toAddress(note)
        if (address) yield { path: `${folder}/${note}.yaml`, address }
      }
    }
  }
}

/** No machine's name and no namespace has a dot in it; a cluster's name may. Undefined for what Drover has not written. */
function toAddress(note: string): MachineAddress | undefined {
  const parts = note.split('.')
  const [namespace = '', name = ''] = parts.slice(-2)
  return parts.length > 2 && parts.every((part) => part !== '')
    ? { cluster: parts.slice(0, -2).join('.'), namespace, name }
    : undefined
}
