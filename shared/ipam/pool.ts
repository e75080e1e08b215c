import type { Tree } from '../fleet.ts'
import { addressFile, networkFile, networkFolder } from '../paths.ts'
import { Network } from '../schema/fleet-files.ts'
import { readChecked } from '../schema/read.ts'
import { show } from '../schema/show.ts'
import { formatIp, parseIp } from './address.ts'
import { gaps } from './allocate.ts'
import { type Subnet, toSubnets } from './network.ts'

/** A network as it stands in the tree, with the files that show which addresses are in use. */
export interface Pool {
  network: Network
  subnets: readonly Subnet[]
  used: Set<string>
}

/** Reads a network, or says what is wrong with it. */
export async function readPool(tree: Tree, name: string): Promise<Pool | { problems: string[] }> {
  const network = await readChecked(tree, networkFile(name), Network)
  if (!network) return { problems: [`network ${show(name)} is not there any more`] }
  if (!network.ok) return { problems: network.problems }
  const subnets = toSubnets(network.value)
  if (!subnets.ok) return { problems: subnets.problems.map((problem) => `${networkFile(name)}: ${problem}`) }
  const entries = await tree.list(networkFolder(name))
  const used = new Set(entries.map((entry) => addressFile(name, plainAddress(entry.name))))
  return { network: network.value, subnets: subnets.value, used }
}

/** What names of files have come to: all of a network are read for each address that is given out. */
const known = new Map<string, string>()
const mostKnown = 100_000

/** The address that a file holds, in the one way that Drover writes it: people may have made the file in another. */
function plainAddress(file: string): string {
  const found = known.get(file)
  if (found !== undefined) return found
  const text = file.replace(/\.ya?ml$/, '')
  const ip = parseIp(text) ?? parseIp(text.replaceAll('-', ':'))
  const plain = ip ? formatIp(ip) : text
  if (known.size >= mostKnown) known.clear()
  known.set(file, plain)
  return plain
}

/** How many addresses of a family the network can still give to who names none. */
export function freeIn(name: string, { subnets, used }: Pool, family: 4 | 6): number {
  const open = subnets.filter((subnet) => subnet.family === family).flatMap(gaps)
  const total = open.reduce((sum, { first, last }) => sum + last - first + 1n, 0n)
  const taken = [...used].filter((file) => {
    const ip = parseIp(plainAddress(file.slice(networkFolder(name).length + 1)))
    return ip?.family === family && open.some(({ first, last }) => first <= ip.value && ip.value <= last)
  })
  return Number(total - BigInt(taken.length))
}
