import ipaddr from 'ipaddr.js'

/** Which addresses and names lead into a network of one's own: what is asked for by somebody else must not go there by chance. */

/** True for an address of the public Internet: none of the private, link-local, loopback or reserved ranges. */
export function isPublic(address: string): boolean {
  const parsed = ipaddr.process(address)
  // Of IPv6 only 2000::/3 is given out; the rest is reserved, or another way to write an IPv4 address.
  const isGivenOut = !(parsed instanceof ipaddr.IPv6) || ((parsed.parts[0] ?? 0) & 0xe000) === 0x2000
  return parsed.range() === 'unicast' && isGivenOut && !isOfCloud(address)
}

/**
 * How far callbacks go: to public addresses over https; to those of private networks too, and by http://; or, for runs
 * on one machine, to this very machine as well.
 */
export type Reach = 'public' | 'private' | 'loopback'

const privateRanges = new Set(['private', 'uniqueLocal', 'carrierGradeNat'])

/** True for an address that networks give to machines of their own; a link-local one is none, for there clouds keep secrets. */
export const isPrivate = (address: string): boolean =>
  privateRanges.has(ipaddr.process(address).range()) && !isOfCloud(address)

/** True for an address of this very machine, where a pod's own helpers listen. */
export const isLoopback = (address: string): boolean => ipaddr.process(address).range() === 'loopback'

/** Where clouds tell a machine its secrets at an address that looks like any other: Alibaba, Azure, AWS, Google, Oracle, Scaleway. */
const ofClouds = [
  '100.100.100.200/32',
  '168.63.129.16/32',
  'fd00:ec2::/32',
  'fd20:ce::254/128',
  'fd00:c1::a9fe:a9fe/128',
  'fd00:42::42/128',
].map((range) => ipaddr.parseCIDR(range))

function isOfCloud(address: string): boolean {
  const parsed = ipaddr.process(address)
  return ofClouds.some(([from, bits]) => from.kind() === parsed.kind() && parsed.match(from, bits))
}

/** Endings of names that only a network of one's own knows, those of Kubernetes and of clouds among them. */
const insideNames = /(^|\.)(localhost|local|localdomain|internal|intranet|lan|home|corp|svc)$|^[^.]*$/

/** True for the host of an address that leads, as far as its text tells, to something that is not on the public Internet. */
export function isInside(host: string): boolean {
  // As resolvers read it: `0x7f.1` and `2130706433` are 127.0.0.1, and a dot at the end means nothing.
  const read = URL.canParse(`http://${host}/`) ? new URL(`http://${host}/`).hostname : host
  const name = read.replace(/^\[|\]$/g, '').replace(/\.$/, '')
  return ipaddr.isValid(name) ? !isPublic(name) : insideNames.test(name.toLowerCase())
}
