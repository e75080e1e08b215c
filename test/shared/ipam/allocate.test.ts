import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatIp, parseIp } from '../../../shared/ipam/address.ts'
import { allocate } from '../../../shared/ipam/allocate.ts'
import { toSubnets } from '../../../shared/ipam/network.ts'
import type { Network } from '../../../shared/schema/fleet-files.ts'

type Subnets = Network['subnets']

const subnetsOf = (subnets: Subnets) => {
  const result = toSubnets({ description: 'one', attachment: { namespace: 'a', name: 'b' }, subnets, domain: 'c' })
  if (!result.ok) throw new Error(result.problems.join())
  return result.value
}
const give = (subnets: Subnets, used: string[] = [], wanted: string[] = []) => {
  const result = allocate('net', subnetsOf(subnets), (ip) => used.includes(formatIp(ip)), wanted)
  return result.ok ? result.value.map(({ address }) => address) : result.problems
}
const v4 = { cidr: '10.0.0.0/29', gateway: '10.0.0.1' }
const v6 = { cidr: 'fd00::/64', gateway: 'fd00::1' }

describe('allocate', () => {
  it.each<[string, Subnets, string[], string[], string[]]>([
    ['the lowest, after network and gateway', [v4], [], [], ['10.0.0.2']],
    ['the next one that is free', [v4], ['10.0.0.2', '10.0.0.3'], [], ['10.0.0.4']],
    ['a hole before what is in use', [v4], ['10.0.0.3'], [], ['10.0.0.2']],
    ['none that is excluded', [{ ...v4, exclude: ['10.0.0.2-10.0.0.4'] }], [], [], ['10.0.0.5']],
    ['none that is reserved', [{ ...v4, reserved: ['10.0.0.2'] }], [], [], ['10.0.0.3']],
    ['a reserved one to who names it', [{ ...v4, reserved: ['10.0.0.2'] }], [], ['10.0.0.2'], ['10.0.0.2']],
    ['the one that is asked for', [v4], ['10.0.0.2'], ['10.0.0.6'], ['10.0.0.6']],
    ['one of each family', [v6, v4], [], [], ['10.0.0.2', 'fd00::2']],
    ['the asked one beside the lowest of the other family', [v4, v6], [], ['FD00:0::99'], ['10.0.0.2', 'fd00::99']],
    [
      'from the next subnet when one is full',
      [{ cidr: '10.0.0.0/30' }, { cidr: '10.0.1.0/30' }],
      ['10.0.0.1', '10.0.0.2'],
      [],
      ['10.0.1.1'],
    ],
    ['both ends of a /31', [{ cidr: '10.0.0.0/31' }], ['10.0.0.0'], [], ['10.0.0.1']],
    ['the one of a /32', [{ cidr: '10.0.0.7/32' }], [], [], ['10.0.0.7']],
    [
      'past ranges that overlap',
      [{ ...v4, exclude: ['10.0.0.2-10.0.0.4', '10.0.0.3'], reserved: ['10.0.0.1-10.0.0.5'] }],
      [],
      [],
      ['10.0.0.6'],
    ],
    [
      'past a range of 2^63 addresses',
      [{ cidr: 'fd00::/64', exclude: ['fd00::-fd00::7fff:ffff:ffff:ffff'] }],
      [],
      [],
      ['fd00::8000:0:0:0'],
    ],
  ])('gives %s', (_, subnets, used, wanted, addresses) => {
    expect(give(subnets, used, wanted)).toEqual(addresses)
  })

  it.each<[string, Subnets, string[], string[], string]>([
    [
      'what is full',
      [v4],
      ['10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5', '10.0.0.6'],
      [],
      'network "net" has no free IPv4 address: 5 of 5 that it gives out are taken (10.0.0.0/29)',
    ],
    [
      'what gives out nothing',
      [{ cidr: '10.0.0.0/30', exclude: ['10.0.0.1-10.0.0.2'] }],
      [],
      [],
      'network "net" has no free IPv4 address: 0 of 0 that it gives out are taken (10.0.0.0/30)',
    ],
    ['an address in use', [v4], ['10.0.0.3'], ['10.0.0.3'], 'address "10.0.0.3" of network "net" is taken'],
    [
      'an address in use in other words',
      [v6],
      ['fd00::3'],
      ['FD00:0:0::3'],
      'address "fd00::3" of network "net" is taken',
    ],
    [
      'an address from elsewhere',
      [v4, v6],
      [],
      ['10.0.1.3'],
      'address "10.0.1.3" is not of network "net", wanted one of 10.0.0.0/29 or fd00::/64',
    ],
    [
      'the gateway',
      [v4],
      [],
      ['10.0.0.1'],
      'address "10.0.0.1" is never given out by network "net": it is its gateway, edge or excluded',
    ],
    ['the broadcast address', [v4], [], ['10.0.0.7'], 'address "10.0.0.7" is never given out by network "net"'],
    ['the network address', [v4], [], ['10.0.0.0'], 'address "10.0.0.0" is never given out'],
    [
      'an excluded address',
      [{ ...v4, exclude: ['10.0.0.3'] }],
      [],
      ['10.0.0.3'],
      'address "10.0.0.3" is never given out',
    ],
    [
      'two of one family',
      [v4],
      [],
      ['10.0.0.3', '10.0.0.4'],
      'network "net" is asked for two IPv4 addresses, wanted one of each family',
    ],
    ['what is no address', [v4], [], ['010.0.0.3'], 'address "010.0.0.3" is none, wanted an IP address such as'],
  ])('refuses %s', (_, subnets, used, wanted, sentence) => {
    expect(give(subnets, used, wanted)).toEqual([expect.stringContaining(sentence)])
  })

  it('says with the lease what an interface needs', () => {
    const result = allocate('net', subnetsOf([v4, { cidr: 'fd00::/64' }]), () => false)
    expect(result).toEqual({
      ok: true,
      value: [
        { network: 'net', address: '10.0.0.2', prefix: 29, cidr: '10.0.0.0/29', gateway: '10.0.0.1' },
        { network: 'net', address: 'fd00::1', prefix: 64, cidr: 'fd00::/64' },
      ],
    })
  })

  it('never gives out what is used, reserved, excluded or an edge, never one twice, and everything else before it ends', () => {
    const offset = fc.integer({ min: 0, max: 63 })
    const ranges = fc.array(fc.tuple(offset, offset), { maxLength: 4 })
    fc.assert(
      fc.property(
        fc.constantFrom(4 as const, 6 as const),
        ranges,
        ranges,
        fc.array(offset),
        offset,
        (family, reserved, exclude, taken, gateway) => {
          const base = parseIp(family === 4 ? '10.0.0.64' : 'fd00::40')!.value
          const at = (index: number) => formatIp({ family, value: base + BigInt(index) })
          const text = ([a, b]: [number, number]) => `${at(Math.min(a, b))}-${at(Math.max(a, b))}`
          const subnets = subnetsOf([
            {
              cidr: `${at(0)}/${family === 4 ? 26 : 122}`,
              gateway: at(gateway),
              reserved: reserved.map(text),
              exclude: exclude.map(text),
            },
          ])
          const within = (index: number) =>
            [...reserved, ...exclude].some(([a, b]) => index >= Math.min(a, b) && index <= Math.max(a, b))
          const free = Array.from({ length: 64 }, (_, index) => index).filter(
            (index) =>
              !within(index) &&
              !taken.includes(index) &&
              index !== gateway &&
              index !== 0 &&
              !(family === 4 && index === 63),
          )
          const used = new Set(taken.map(at))
          for (const index of free) {
            const result = allocate('net', subnets, (ip) => used.has(formatIp(ip)))
            expect(result).toMatchObject({ ok: true, value: [{ address: at(index) }] })
            used.add(at(index))
          }
          expect(allocate('net', subnets, (ip) => used.has(formatIp(ip))).ok).toBe(false)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('is quick in a /64 with a thousand addresses in use', () => {
    const used = new Set(
      Array.from({ length: 1000 }, (_, index) =>
        formatIp({ family: 6, value: parseIp('fd00::2')!.value + BigInt(index) }),
      ),
    )
    const begin = performance.now()
    const result = allocate('net', subnetsOf([v6]), (ip) => used.has(formatIp(ip)))
    expect(result).toMatchObject({ ok: true, value: [{ address: 'fd00::3ea' }] })
    expect(performance.now() - begin).toBeLessThan(100)
  })
})
