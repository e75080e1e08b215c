import type { Tree } from './fleet.ts'
import { addressFile, nameFile } from './paths.ts'
import type { Run } from './step.ts'
import { parseYaml } from './yaml.ts'

/** The files that hold the name and the addresses for a run's machine; one that is somebody else's by now is not among them. */
export async function reservationsOf(tree: Tree, { facts, request }: Run): Promise<string[]> {
  const { name = '', interfaces = [] } = facts
  const leases = interfaces.flatMap(({ network, leases }) => leases.map(({ address }) => addressFile(network, address)))
  const isOwn = async (path: string): Promise<string[]> => {
    const text = await tree.read(path)
    if (text === undefined) return []
    const { machine, name: held, namespace } = parseYaml(text, path) as Record<string, unknown>
    return (machine ?? held) === name && namespace === request.namespace ? [path] : []
  }
  return (await Promise.all([nameFile(name), ...leases].map(isOwn))).flat()
}
