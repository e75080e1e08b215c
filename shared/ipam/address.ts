import ipaddr from 'ipaddr.js'

/** An IP address as a number, so ranges are comparisons and the next one is plus one. */
export interface Ip {
  family: 4 | 6
  value: bigint
}

/** The inclusive range between two addresses of one family. */
export interface Range {
  first: bigint
  last: bigint
}

/** Reads an address as people write it; undefined when it is none. No octal or shortened IPv4. */
export function parseIp(text: string): Ip | undefined {
  // Not by the library, which throws an error for each of the other family: those of a network are read by the thousand.
  if (fourParts.test(text)) return { family: 4, value: numberOf(text.split('.'), 8n) }
  const parts = text.includes(':') ? sixteenBits(text) : undefined
  return parts && { family: 6, value: numberOf(parts, 16n) }
}

function sixteenBits(text: string): number[] | undefined {
  try {
    return ipaddr.IPv6.parse(text).parts
  } catch {
    return undefined
  }
}

const numberOf = (parts: readonly (string | number)[], bits: bigint) =>
  parts.reduce((value, part) => (value << bits) | BigInt(part), 0n)

const fourParts = /^(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}$/

/** The one way to write an address (RFC 5952), so that an address has one file only. */
export function formatIp({ family, value }: Ip): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((bits) => (value >> bits) & 255n).join('.')
  const hex = value.toString(16).padStart(32, '0')
  return ipaddr.fromByteArray([...Buffer.from(hex, 'hex')]).toString()
}

/** The name of an address in the reverse zone: in-addr.arpa, or the nibbles of ip6.arpa. */
export function reverseName({ family, value }: Ip): string {
  const hex = value.toString(16).padStart(family === 4 ? 8 : 32, '0')
  return family === 4
    ? `${[...Buffer.from(hex, 'hex')].reverse().join('.')}.in-addr.arpa`
    : `${[...hex].reverse().join('.')}.ip6.arpa`
}

export const within = (value: bigint, { first, last }: Range) => first <= value && value <= last
