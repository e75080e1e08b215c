import { isDict } from './dict.ts'
import type { Tree } from './fleet.ts'
import { nameFile } from './paths.ts'
import { show } from './schema/show.ts'
import { parseYaml } from './yaml.ts'

/** Who holds a machine's name in the fleet. */
export interface Holder {
  /** The run that reserved it; undefined when the file was made by hand and does not say. */
  run: string | undefined
  /** That the name is taken, for people. */
  sentence: string
}

/** The holder of a name, or undefined while it is free; a file holds its name whatever it says. */
export async function readHolder(tree: Tree, name: string): Promise<Holder | undefined> {
  const path = nameFile(name)
  const text = await tree.read(path)
  if (text === undefined) return undefined
  const said = parseYaml(text, path)
  const { run, namespace } = isDict(said) ? said : {}
  if (typeof run !== 'string' || typeof namespace !== 'string')
    return { run: undefined, sentence: `${show(name)} is taken, see ${path}` }
  return { run, sentence: `${show(name)} is taken by a machine in namespace ${show(namespace)} (run ${run})` }
}
