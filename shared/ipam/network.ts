import type { Checked } from '../schema/check.ts'
import type { Network } from '../schema/fleet-files.ts'
import { show } from '../schema/show.ts'
import { formatIp, type Ip, parseIp, type Range, within } from './address.ts'

/** One subnet of a network, ready for arithmetic. */
export interface Subnet extends Range {
  cidr: string
  family: Ip['family']
  prefix: number
  gateway?: string
  /** Network, broadcast, gateway and what is excluded: given to nobody. */
  closed: Range[]
  /** Given only to a request that names them. */
  reserved: Range[]
}

type Declared = Network['subnets'][number]

/** The subnets of a network, or everything that is wrong with its numbers. */
export function toSubnets({ subnets }: Network): Checked<Subnet[]> {
  const problems: string[] = []
  const value = subnets.flatMap((declared, index) => {
    const subnet = toSubnet(declared, `subnets[${index}]`, problems)
    return subnet ? [subnet] : []
  })
  for (const [index, one] of value.entries()) {
    const other = value.slice(0, index).find((two) => two.family === one.family && overlap(one, two))
    if (other) problems.push(`subnet ${show(one.cidr)} overlaps ${show(other.cidr)}, wanted subnets apart`)
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value }
}

function toSubnet(declared: Declared, path: string, problems: string[]): Subnet | undefined {
  const [text = '', bits = ''] = declared.cidr.split('/')
  const base = parseIp(text)
  const prefix = Number(bits)
  const size = base?.family === 4 ? 32 : 128
  if (!base || prefix > size) {
    problems.push(`${path}.cidr is ${show(declared.cidr)}, wanted a subnet such as "10.20.0.0/24" or "fd00:20::/64"`)
    return undefined
  }
  const last = base.value | ((1n << BigInt(size - prefix)) - 1n)
  const first = (base.value >> BigInt(size - prefix)) << BigInt(size - prefix)
  if (first !== base.value) {
    const wanted = `${formatIp({ family: base.family, value: first })}/${prefix}`
    problems.push(`${path}.cidr is ${show(declared.cidr)}, wanted ${show(wanted)}: the bits after the prefix must be 0`)
  }
  const subnet = { cidr: `${formatIp({ ...base, value: first })}/${prefix}`, family: base.family, prefix, first, last }
  return { ...subnet, ...parts(subnet, declared, path, problems) }
}

function parts(subnet: Omit<Subnet, 'closed' | 'reserved'>, declared: Declared, path: string, problems: string[]) {
  const ranges = (field: 'reserved' | 'exclude') =>
    (declared[field] ?? []).flatMap((text, index) => toRange(text, subnet, `${path}.${field}[${index}]`, problems))
  const [gateway] = declared.gateway ? toRange(declared.gateway, subnet, `${path}.gateway`, problems) : []
  return {
    closed: [...edges(subnet), ...(gateway ? [gateway] : []), ...ranges('exclude')],
    reserved: ranges('reserved'),
    ...(gateway && { gateway: formatIp({ family: subnet.family, value: gateway.first }) }),
  }
}

/** What no host may have: IPv4's network and broadcast address, IPv6's anycast address of the routers. */
function edges({ family, prefix, first, last }: Pick<Subnet, 'family' | 'prefix' | 'first' | 'last'>): Range[] {
  if (prefix >= (family === 4 ? 31 : 127)) return []
  const network = { first, last: first }
  return family === 4 ? [network, { first: last, last }] : [network]
}

function toRange(
  text: string,
  subnet: Range & Pick<Subnet, 'cidr' | 'family'>,
  path: string,
  problems: string[],
): Range[] {
  const [from, to, more] = text.split('-').map(parseIp)
  const end = text.includes('-') ? to : from
  if (!from || !end || more || from.family !== subnet.family || end.family !== subnet.family)
    problems.push(`${path} is ${show(text)}, wanted IPv${subnet.family} addresses of ${subnet.cidr}`)
  else if (end.value < from.value) problems.push(`${path} is ${show(text)}, wanted the lower address first`)
  else if (!within(from.value, subnet) || !within(end.value, subnet))
    problems.push(`${path} is ${show(text)}, wanted addresses of ${subnet.cidr}`)
  else return [{ first: from.value, last: end.value }]
  return []
}

const overlap = (one: Range, two: Range) => one.first <= two.last && two.first <= one.last
