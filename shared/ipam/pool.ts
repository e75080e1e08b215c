import { DroverError } from '../errors.ts'
import type { Tree } from '../fleet.ts'
import { networkFile, networkFolder } from '../paths.ts'
import { Network } from '../schema/fleet-files.ts'
import { readChecked } from '../schema/read.ts'
import { show } from '../schema/show.ts'
import { type Ip, parseIp, within } from './address.ts'
import { gaps, type Used } from './allocate.ts'
import { type Subnet, toSubnets } from './network.ts'

/** A network as it stands in the tree, with the addresses of each family that are in use. */
export interface Pool {
  network: Network
  subnets: readonly Subnet[]
  used: Record<Ip['family'], Set<bigint>>
}

/** Reads a network, or says what is wrong with it. */
export async function readPool(tree: Tree, name: string): Promise<Pool | { problems: string[] }> {
  const network = await readChecked(tree, networkFile(name), Network)
  if (!network) return { problems: [`network ${show(name)} is not there any more`] }
  if (!network.ok) return { problems: network.problems }
  const subnets = toSubnets(network.value)
  if (!subnets.ok) return { problems: subnets.problems.map((problem) => `${networkFile(name)}: ${problem}`) }
  const used: Pool['used'] = { 4: new Set(), 6: new Set() }
  for (const entry of await tree.list(networkFolder(name))) {
    const ip = addressIn(entry.name)
    if (ip) used[ip.family].add(ip.value)
  }
  return { network: network.value, subnets: subnets.value, used }
}

/** Which addresses of a network somebody holds. */
export const usedIn =
  ({ used }: Pool): Used =>
  ({ family, value }) =>
    used[family].has(value)

/** Notes that an address is held from now on. */
export function hold({ used }: Pool, address: string): void {
  const ip = parseIp(address)
  if (!ip) throw new DroverError('broken', `Cannot hold ${show(address)}: it is no address`)
  used[ip.family].add(ip.value)
}

/** What names of files have come to: all of a network are read for each address that is given out. A few MB at most. */
const known = new Map<string, Ip | undefined>()
const mostKnown = 30_000

/** The address that a file holds; people may have made the file in another way than Drover writes it. */
function addressIn(file: string): Ip | undefined {
  if (known.has(file)) return known.get(file)
  const text = file.replace(/\.ya?ml$/, '')
  const ip = parseIp(text) ?? parseIp(text.replaceAll('-', ':'))
  if (known.size >= mostKnown) known.clear()
  known.set(file, ip)
  return ip
}

/** How many addresses of a family the network can still give to who names none. */
export function freeIn({ subnets, used }: Pool, family: 4 | 6): number {
  const open = subnets.filter((subnet) => subnet.family === family).flatMap(gaps)
  const total = open.reduce((sum, { first, last }) => sum + last - first + 1n, 0n)
  const taken = [...used[family]].filter((value) => open.some((gap) => within(value, gap)))
  return Number(total - BigInt(taken.length))
}
