import type { Tree } from './fleet.ts'
import { removesMachine } from './lifecycles.ts'
import { addressFile, nameFile } from './paths.ts'
import type { Facts, Run } from './step.ts'
import { parseYaml } from './yaml.ts'

/** All addresses that are reserved for a machine. */
export const addressesOf = ({ interfaces = [] }: Pick<Facts, 'interfaces'>): string[] =>
  interfaces.flatMap(({ leases }) => leases.map(({ address }) => address))

/** The files that hold the addresses of a run's machine; one that is somebody else's by now is not among them. */
export function heldAddresses(tree: Tree, run: Run): Promise<string[]> {
  const { interfaces = [] } = run.facts
  const leases = interfaces.flatMap(({ network, leases }) => leases.map(({ address }) => addressFile(network, address)))
  return heldAmong(leases, tree, run)
}

/** What the close of a run gives back that has taken its machine out of the fleet: the name, unless it is somebody else's by now. */
export async function releasedAtClose(tree: Tree, run: Run): Promise<string[]> {
  const { name } = run.facts
  return removesMachine(run.lifecycle) && name !== undefined ? heldAmong([nameFile(name)], tree, run) : []
}

/** A machine that came after may have the same name in the same namespace, so what counts is the run that made it. */
async function heldAmong(paths: readonly string[], tree: Tree, { facts, request }: Run): Promise<string[]> {
  const isOwn = async (path: string): Promise<string[]> => {
    const text = await tree.read(path)
    if (text === undefined) return []
    const { machine, name, namespace, run } = parseYaml(text, path) as Record<string, unknown>
    const isNamed = (machine ?? name) === facts.name && namespace === request.namespace
    // Files that were made by hand do not say which run they are of.
    const isMade = run === undefined || facts.madeBy === undefined || run === facts.madeBy
    return isNamed && isMade ? [path] : []
  }
  return (await Promise.all(paths.map(isOwn))).flat()
}
