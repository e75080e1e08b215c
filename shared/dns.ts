import { parseIp, reverseName } from './ipam/address.ts'
import type { DnsRecord, Lease } from './schema/definition.ts'
import type { Network } from './schema/fleet-files.ts'

const defaultTtl = 300

/** The records of a machine in the network of its first interface: forward, and reverse where the network wants it. */
export function toDnsRecords(name: string, network: Network, leases: readonly Lease[]): DnsRecord[] {
  const dnsName = `${name}.${network.domain}`
  const recordTTL = network.dns?.ttl ?? defaultTtl
  const ips = leases.flatMap(({ address }) => {
    const ip = parseIp(address)
    return ip ? [{ address, ip }] : []
  })
  const forward = ips.map(({ address, ip }): DnsRecord => {
    return { dnsName, recordType: ip.family === 4 ? 'A' : 'AAAA', targets: [address], recordTTL }
  })
  if (!network.dns?.reverse) return forward
  const reverse = ips.map(({ ip }): DnsRecord => {
    return { dnsName: reverseName(ip), recordType: 'PTR', targets: [dnsName], recordTTL }
  })
  return [...forward, ...reverse]
}
