import { describe, expect, it } from 'vitest'
import { toSubnets } from '../../../shared/ipam/network.ts'
import type { Network } from '../../../shared/schema/fleet-files.ts'

const network = (...subnets: Network['subnets']): Network => ({
  description: 'one',
  attachment: { namespace: 'default', name: 'vlan' },
  subnets,
  domain: 'example.com',
})

describe('toSubnets', () => {
  it.each<[string, Network['subnets'], string]>([
    [
      'no address',
      [{ cidr: '10.20.0/24' }],
      'subnets[0].cidr is "10.20.0/24", wanted a subnet such as "10.20.0.0/24" or "fd00:20::/64"',
    ],
    ['too long a prefix', [{ cidr: '10.20.0.0/33' }], 'subnets[0].cidr is "10.20.0.0/33", wanted a subnet such as'],
    [
      'host bits',
      [{ cidr: '10.20.0.5/24' }],
      'subnets[0].cidr is "10.20.0.5/24", wanted "10.20.0.0/24": the bits after the prefix must be 0',
    ],
    [
      'a gateway elsewhere',
      [{ cidr: '10.20.0.0/24', gateway: '10.21.0.1' }],
      'subnets[0].gateway is "10.21.0.1", wanted addresses of 10.20.0.0/24',
    ],
    [
      'a gateway of the other family',
      [{ cidr: '10.20.0.0/24', gateway: 'fd00::1' }],
      'subnets[0].gateway is "fd00::1", wanted IPv4 addresses of 10.20.0.0/24',
    ],
    [
      'a range backwards',
      [{ cidr: '10.20.0.0/24', exclude: ['10.20.0.9-10.20.0.2'] }],
      'subnets[0].exclude[0] is "10.20.0.9-10.20.0.2", wanted the lower address first',
    ],
    [
      'a range that leaves',
      [{ cidr: 'fd00:20::/64', reserved: ['fd00:20::1-fd00:21::1'] }],
      'subnets[0].reserved[0] is "fd00:20::1-fd00:21::1", wanted addresses of fd00:20::/64',
    ],
    [
      'half a range',
      [{ cidr: '10.20.0.0/24', exclude: ['10.20.0.9-x'] }],
      'subnets[0].exclude[0] is "10.20.0.9-x", wanted IPv4 addresses of 10.20.0.0/24',
    ],
    [
      'an overlap',
      [{ cidr: '10.20.0.0/16' }, { cidr: '10.20.7.0/24' }],
      'subnet "10.20.7.0/24" overlaps "10.20.0.0/16", wanted subnets apart',
    ],
  ])('says what is wrong with %s', (_, subnets, sentence) => {
    const result = toSubnets(network(...subnets))
    expect(result.ok ? [] : result.problems).toEqual([expect.stringContaining(sentence)])
  })

  it('names every fault at once', () => {
    const result = toSubnets(
      network({ cidr: '10.20.0.0/24', gateway: '1.1.1.1', exclude: ['2.2.2.2'] }, { cidr: 'x/1' }),
    )
    expect(result.ok ? [] : result.problems).toHaveLength(3)
  })
})
