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
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return { family: 4, value: toNumber(ipaddr.IPv4.parse(text)) }
  if (text.includes(':') && ipaddr.IPv6.isValid(text)) return { family: 6, value: toNumber(ipaddr.IPv6.parse(text)) }
  return undefined
}

const toNumber = (address: ipaddr.IPv4 | ipaddr.IPv6) =>
  address.toByteArray().reduce((value, byte) => (value << 8n) | BigInt(byte), 0n)

/** The one way to write an address (RFC 5952), so that an address has one file only. */
export function formatIp({ family, value }: Ip): string {
  const hex = value.toString(16).padStart(family === 4 ? 8 : 32, '0')
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
