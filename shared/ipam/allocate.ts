import type { Checked } from '../schema/check.ts'
import type { Lease } from '../schema/definition.ts'
import { show } from '../schema/show.ts'
import { formatIp, type Ip, parseIp, type Range, within } from './address.ts'
import type { Subnet } from './network.ts'

/** Whether an address is held by somebody. */
export type Used = (ip: Ip) => boolean

/**
 * One address of each family that a network has: the one that is wanted, or the lowest that is free, never one that is
 * in use, closed or (unless wanted by name) reserved. Work grows with what is in use, not with the size of a subnet.
 */
export function allocate(
  network: string,
  subnets: readonly Subnet[],
  used: Used,
  wanted: readonly string[] = [],
): Checked<Lease[]> {
  const unfit = wantedProblems(network, subnets, wanted)
  if (unfit.length > 0) return { ok: false, problems: unfit }
  const asked = wanted.map((text) => parseIp(text)!)
  const families = [...new Set(subnets.map(({ family }) => family))].sort()
  const chosen = families.map((family) => {
    const ours = subnets.filter((subnet) => subnet.family === family)
    const one = asked.find((ip) => ip.family === family)
    return one ? take(network, ours, used, one) : lowest(network, ours, used)
  })
  const problems = chosen.filter((one) => typeof one === 'string')
  if (problems.length > 0) return { ok: false, problems }
  return { ok: true, value: chosen.filter((one) => typeof one !== 'string') }
}

/** Why addresses that are asked for cannot be given, whoever holds them now. */
export function wantedProblems(network: string, subnets: readonly Subnet[], wanted: readonly string[]): string[] {
  const parsed = wanted.map((text) => ({ text, ip: parseIp(text) }))
  const problems = parsed.flatMap(({ text, ip }) => {
    if (!ip) return [`address ${show(text)} is none, wanted an IP address such as "10.20.0.17" or "fd00:20::17"`]
    const subnet = holder(subnets, ip)
    if (!subnet) return [`address ${show(text)} is not of network ${show(network)}, wanted one of ${cidrs(subnets)}`]
    if (subnet.closed.some((range) => within(ip.value, range)))
      return [
        `address ${show(text)} is never given out by network ${show(network)}: it is its gateway, edge or excluded`,
      ]
    return []
  })
  for (const family of [4, 6])
    if (parsed.filter(({ ip }) => ip?.family === family).length > 1)
      problems.push(`network ${show(network)} is asked for two IPv${family} addresses, wanted one of each family`)
  return problems
}

const holder = (subnets: readonly Subnet[], ip: Ip) =>
  subnets.find((subnet) => subnet.family === ip.family && within(ip.value, subnet))

const cidrs = (subnets: readonly Subnet[]) => subnets.map(({ cidr }) => cidr).join(' or ')

function take(network: string, subnets: readonly Subnet[], used: Used, ip: Ip): Lease | string {
  const address = formatIp(ip)
  return used(ip)
    ? `address ${show(address)} of network ${show(network)} is taken`
    : toLease(network, holder(subnets, ip)!, address)
}

function lowest(network: string, subnets: readonly Subnet[], used: Used): Lease | string {
  for (const subnet of subnets)
    for (const gap of gaps(subnet))
      for (let value = gap.first; value <= gap.last; value++) {
        const ip = { family: subnet.family, value }
        if (!used(ip)) return toLease(network, subnet, formatIp(ip))
      }
  const total = subnets.flatMap(gaps).reduce((sum, gap) => sum + gap.last - gap.first + 1n, 0n)
  return `network ${show(network)} has no free IPv${subnets[0]?.family} address: ${total} of ${total} that it gives out are taken (${cidrs(subnets)})`
}

/** What is left of a subnet without closed and reserved ranges, from the lowest. */
export function gaps(subnet: Subnet): Range[] {
  const blocked = [...subnet.closed, ...subnet.reserved].sort((a, b) => (a.first < b.first ? -1 : 1))
  const left: Range[] = []
  let next = subnet.first
  for (const { first, last } of blocked) {
    if (first > next) left.push({ first: next, last: first - 1n })
    if (last >= next) next = last + 1n
  }
  if (next <= subnet.last) left.push({ first: next, last: subnet.last })
  return left
}

const toLease = (network: string, { prefix, cidr, gateway }: Subnet, address: string): Lease => ({
  network,
  address,
  prefix,
  cidr,
  ...(gateway !== undefined && { gateway }),
})
