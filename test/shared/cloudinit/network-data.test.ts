import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { networkData } from '../../../shared/cloudinit/network-data.ts'
import { dualStack, second } from './guests.ts'

const nic0 = {
  match: { macaddress: '02:00:00:00:00:01' },
  'set-name': 'nic0',
  dhcp4: false,
  dhcp6: false,
  addresses: ['10.20.0.17/22', 'fd00:20::17/64'],
  routes: [
    { to: '0.0.0.0/0', via: '10.20.0.1' },
    { to: '::/0', via: 'fd00:20::1' },
  ],
  nameservers: { addresses: ['10.20.0.2'], search: ['servers.example.com'] },
}

describe('networkData', () => {
  it('finds an interface by its MAC and gives it its addresses, routes and name servers', () => {
    expect(parse(networkData([dualStack()], []))).toEqual({ version: 2, ethernets: { nic0 } })
  })

  it('has one default route of each family, on the first interface that has a gateway', () => {
    const { ethernets } = parse(networkData([dualStack(), second()], []))
    expect(ethernets.nic0.routes).toHaveLength(2)
    expect(ethernets.nic1).toEqual({
      match: { macaddress: '02:00:00:00:00:02' },
      'set-name': 'nic1',
      dhcp4: false,
      dhcp6: false,
      addresses: ['10.90.0.32/22'],
    })
    const withoutFirst = parse(networkData([{ ...dualStack(), leases: [] }, second()], []))
    expect(withoutFirst.ethernets.nic1.routes).toEqual([{ to: '0.0.0.0/0', via: '10.90.0.1' }])
  })

  it('asks for an address where none was allocated', () => {
    const { ethernets } = parse(networkData([{ ...dualStack(), leases: [] }], []))
    expect(ethernets.nic0).toMatchObject({ dhcp4: true })
    expect(ethernets.nic0.addresses).toBeUndefined()
  })

  it('puts parts over it key by key, lists as a whole', () => {
    const parts = [{ ethernets: { nic0: { mtu: 9000, nameservers: { search: ['x'] } } } }, { bonds: { b: {} } }]
    expect(parse(networkData([dualStack()], parts))).toEqual({
      version: 2,
      ethernets: { nic0: { ...nic0, mtu: 9000, nameservers: { addresses: ['10.20.0.2'], search: ['x'] } } },
      bonds: { b: {} },
    })
  })
})
