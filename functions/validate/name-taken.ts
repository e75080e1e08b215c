import type { Tree } from '../../shared/fleet.ts'
import { readHolder } from '../../shared/holder.ts'
import type { Unproved } from './unproved.ts'

/** An early word for people; it is `allocate` that proves the name free. `path` is where the request names it. */
export async function nameTaken(
  tree: Tree,
  { id }: Pick<Unproved, 'id'>,
  name: string,
  path: string,
): Promise<string[]> {
  const holder = await readHolder(tree, name)
  return holder === undefined || holder.run === id ? [] : [`${path} ${holder.sentence}`]
}
