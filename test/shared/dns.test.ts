import { describe, expect, it } from 'vitest'
import { toDnsRecords } from '../../shared/dns.ts'
import type { Network } from '../../shared/schema/fleet-files.ts'

const network = (dns?: Network['dns']): Network => ({
  description: 'one',
  attachment: { namespace: 'default', name: 'vlan' },
  subnets: [],
  domain: 'servers.example.com',
  ...(dns && { dns }),
})
const lease = (address: string) => ({ network: 'servers', address, prefix: 24, cidr: '10.0.0.0/24' })
const leases = [lease('10.20.3.4'), lease('fd00:20::1f')]
const dnsName = 'web-1.servers.example.com'

describe('toDnsRecords', () => {
  it('gives an A and an AAAA record', () => {
    expect(toDnsRecords('web-1', network({}), leases)).toEqual([
      { dnsName, recordType: 'A', targets: ['10.20.3.4'], recordTTL: 300 },
      { dnsName, recordType: 'AAAA', targets: ['fd00:20::1f'], recordTTL: 300 },
    ])
  })

  it('gives none in a network without DNS', () => {
    expect(toDnsRecords('web-1', network(), leases)).toEqual([])
  })

  it("gives reverse records with the network's time to live where it wants them", () => {
    expect(toDnsRecords('web-1', network({ ttl: 60, reverse: true }), leases).slice(2)).toEqual([
      { dnsName: '4.3.20.10.in-addr.arpa', recordType: 'PTR', targets: [dnsName], recordTTL: 60 },
      {
        dnsName: 'f.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.2.0.0.0.0.d.f.ip6.arpa',
        recordType: 'PTR',
        targets: [dnsName],
        recordTTL: 60,
      },
    ])
  })
})
