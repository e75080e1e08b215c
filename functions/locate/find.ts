import type { Tree } from '../../shared/fleet.ts'
import { readHolder } from '../../shared/holder.ts'
import { definitionFile, machinesFolder } from '../../shared/paths.ts'
import { Definition } from '../../shared/schema/definition.ts'
import { foldersIn, readChecked } from '../../shared/schema/read.ts'
import type { MachineRequest } from '../../shared/schema/requests.ts'
import { listed, show } from '../../shared/schema/show.ts'

/** A machine as the fleet has it. */
export interface Found {
  definition: Definition
  /** The run that made it. */
  madeBy: string | undefined
}

/**
 * The machine that a request is about, or why it cannot be told which one that is. A machine of another namespace is none
 * of the requester's business: it is not there.
 */
export async function find(tree: Tree, { namespace, name, cluster }: MachineRequest): Promise<Found | string> {
  const clusters = cluster === undefined ? await foldersIn(tree, machinesFolder) : [cluster]
  const there = await Promise.all(
    clusters.map(async (one) => ((await tree.oid(definitionFile(one, namespace, name))) === undefined ? [] : [one])),
  )
  const [only, ...others] = there.flat()
  if (only === undefined) {
    const where = cluster === undefined ? '' : ` on ${cluster}`
    return `namespace ${show(namespace)} has no machine ${show(name)}${where}, wanted one that there is`
  }
  if (others.length > 0)
    return `namespace ${show(namespace)} has a machine ${show(name)} on ${listed(there.flat())}, wanted cluster to say which one`
  const path = definitionFile(only, namespace, name)
  const definition = await readChecked(tree, path, Definition)
  if (!definition) return `${path} is not there any more`
  if (!definition.ok) return definition.problems.join('; ')
  const { value } = definition
  if (value.name !== name || value.namespace !== namespace || value.cluster !== only)
    return `${path} is the definition of ${value.namespace}/${value.name} on ${value.cluster}, wanted that of its own folder`
  const holder = await readHolder(tree, name)
  return { definition: value, madeBy: holder?.run }
}
