import { describe, expect, it } from 'vitest'
import { assessAddresses, assessNames, type Resolver } from '../../../functions/verify/assess.ts'
import type { DnsRecord } from '../../../shared/schema/definition.ts'
import { linuxServer } from '../../shared/kubevirt/definitions.ts'
import { runningView } from './views.ts'

const definition = linuxServer()
const record = (recordType: DnsRecord['recordType'], dnsName: string, ...targets: string[]): DnsRecord => ({
  recordType,
  dnsName,
  targets,
  recordTTL: 300,
})
const resolverOf = (zone: Record<string, string[] | undefined>): Resolver => ({
  resolve: async (name, type) => (Object.hasOwn(zone, `${type} ${name}`) ? zone[`${type} ${name}`] : []),
})

describe('the addresses of a machine', () => {
  it.each<[string, string[] | undefined, object]>([
    ['reached', undefined, { message: 'VM web-01 has the addresses that were allocated' }],
    ['waiting', [], { message: 'the interface 02:00:00:00:00:01 has no address, wanted 10.20.0.17' }],
    ['troubled', ['10.20.0.99'], { message: 'the interface 02:00:00:00:00:01 has 10.20.0.99, wanted 10.20.0.17' }],
    [
      'troubled',
      ['10.20.0.17', 'fe80::1'],
      { message: 'the interface 02:00:00:00:00:01 has 10.20.0.17, fe80::1, wanted fd00:20::17' },
    ],
  ])('are %s when its interface shows %s', (state, addresses, rest) => {
    const view = runningView(definition, { addresses })
    expect(assessAddresses(view, definition)).toEqual({ state, ...rest })
  })

  it('are waited for while there is no instance', () => {
    expect(assessAddresses({ ...runningView(definition), instance: undefined }, definition).state).toBe('waiting')
  })
})

describe('the addresses of a machine with more than one interface', () => {
  const [first] = definition.interfaces
  const second = {
    ...(first as NonNullable<typeof first>),
    mac: '02:00:00:00:00:02',
    leases: first?.leases.map((lease) => ({ ...lease, address: '10.30.0.5' })).slice(0, 1) ?? [],
  }
  const both = { ...definition, interfaces: [...definition.interfaces, second] }
  const showing = (...interfaces: { mac?: string; ipAddress?: string; ipAddresses?: string[] }[]) => {
    const view = runningView(both)
    return { ...view, instance: { ...view.instance, status: { ...view.instance.status, interfaces } } }
  }
  const all = ['10.20.0.17', 'fd00:20::17']

  it('are looked for on the interface that each was allocated to, by its MAC in any case', () => {
    const right = showing({ mac: '02:00:00:00:00:01', ipAddresses: all }, { mac: second.mac, ipAddress: '10.30.0.5' })
    expect(assessAddresses(right, both)).toMatchObject({ state: 'reached' })
    const swapped = showing({ mac: '02:00:00:00:00:01', ipAddresses: [...all, '10.30.0.5'] }, { mac: second.mac })
    expect(assessAddresses(swapped, both)).toEqual({
      state: 'waiting',
      message: 'the interface 02:00:00:00:00:02 has no address, wanted 10.30.0.5',
    })
  })

  it('are not those of an interface that nobody knows, such as one of a container network in the guest', () => {
    const other = showing({ ipAddresses: [...all, '10.30.0.5'] }, { mac: '02:00:00:00:00:09', ipAddresses: all })
    expect(assessAddresses(other, both)).toEqual({
      state: 'waiting',
      message: 'the interface 02:00:00:00:00:01 has no address, wanted 10.20.0.17',
    })
  })

  it('are waited for while the instance says nothing of itself', () => {
    expect(assessAddresses({ ...showing(), instance: { metadata: { name: 'web-01' } } }, both)).toEqual({
      state: 'waiting',
      message: 'the interface 02:00:00:00:00:01 has no address, wanted 10.20.0.17',
    })
  })
})

describe('the names of a machine', () => {
  const dns = [
    record('A', 'web-01.example.com', '10.20.0.17'),
    record('PTR', '17.0.20.10.in-addr.arpa', 'web-01.example.com'),
  ]

  it.each<[string, Record<string, string[] | undefined>, object]>([
    [
      'resolve, whatever their case and their last dot',
      { 'A web-01.example.com': ['10.20.0.17'], 'PTR 17.0.20.10.in-addr.arpa': ['WEB-01.example.com.'] },
      { state: 'reached', message: '2 DNS records resolve' },
    ],
    [
      'do not resolve yet',
      {},
      { state: 'waiting', message: 'A web-01.example.com resolves to nothing, wanted 10.20.0.17' },
    ],
    [
      'are waited for where no name server answers',
      { 'A web-01.example.com': undefined },
      { state: 'waiting', message: 'no name server says what A web-01.example.com resolves to' },
    ],
    [
      'resolve to something else',
      { 'A web-01.example.com': ['10.0.0.1'] },
      { state: 'waiting', message: 'A web-01.example.com resolves to 10.0.0.1, wanted 10.20.0.17' },
    ],
  ])('%s', async (_, zone, assessment) => {
    expect(await assessNames({ ...definition, dns }, resolverOf(zone))).toEqual(assessment)
  })

  it('say each target that is lacking, and what there is instead', async () => {
    const pair = [record('A', 'web-01.example.com', '10.20.0.17', '10.20.0.18', '10.20.0.19')]
    const zone = { 'A web-01.example.com': ['10.0.0.1', '10.20.0.18', '10.0.0.2'] }
    expect(await assessNames({ ...definition, dns: pair }, resolverOf(zone))).toEqual({
      state: 'waiting',
      message: 'A web-01.example.com resolves to 10.0.0.1, 10.20.0.18, 10.0.0.2, wanted 10.20.0.17, 10.20.0.19',
    })
  })

  it('are not looked up where no resolver is configured', async () => {
    expect(await assessNames({ ...definition, dns }, undefined)).toEqual({
      state: 'reached',
      message: 'no resolver is configured',
    })
  })
})
