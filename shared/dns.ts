import { parseIp, reverseName } from './ipam/address.ts'
import type { DnsRecord, Lease } from './schema/definition.ts'
import type { Network } from './schema/fleet-files.ts'

const defaultTtl = 300

/** The records of a machine in the network of its first interface, where that has any: forward, and reverse if it wants them. */
export function toDnsRecords(name: string, { domain, dns }: Network, leases: readonly Lease[]): DnsRecord[] {
  if (!dns) return []
  const dnsName = `${name}.${domain}`
  const recordTTL = dns.ttl ?? defaultTtl
  const ips = leases.flatMap(({ address }) => {
    const ip = parseIp(address)
    return ip ? [{ address, ip }] : []
  })
  const forward = ips.map(({ address, ip }): DnsRecord => {
    return { dnsName, recordType: ip.family === 4 ? 'A' : 'AAAA', targets: [address], recordTTL }
  })
  if (!dns.reverse) return forward
  const reverse = ips.map(({ ip }): DnsRecord => {
    return { dnsName: reverseName(ip), recordType: 'PTR', targets: [dnsName], recordTTL }
  })
  return [...forward, ...reverse]
}
