import { describe, expect, it } from 'vitest'
import { allocateAddress } from '../../../functions/allocate/address.ts'
import { allocateName } from '../../../functions/allocate/name.ts'
import { toIdentity, toMac } from '../../../shared/identity.ts'
import { readRecord } from '../../../shared/ledger.ts'
import { addressFile, networkFile, runFile } from '../../../shared/paths.ts'
import { check } from '../../../shared/schema/check.ts'
import { DnsRecord, Identity, Interface } from '../../../shared/schema/definition.ts'
import type { Machine, Nic } from '../../../shared/schema/machine.ts'
import { parseYaml, toYaml } from '../../../shared/yaml.ts'
import { runOf, starterFiles } from '../../examples/starter.ts'
import { type MemoryFleet, memoryFleet } from '../../fleet.ts'
import { fleetOf } from '../build/runs.ts'

const fleetWith = (files: Record<string, string> = {}) => memoryFleet({ ...starterFiles(), ...files })

/** A network that says no more than it must, with one address to give out. */
const tiny = {
  [networkFile('tiny')]: toYaml({
    description: 'x',
    attachment: { namespace: 'a', name: 'b' },
    subnets: [{ cidr: '10.9.9.0/30', exclude: ['10.9.9.1'] }],
    domain: 'c',
  }),
}

/** A run that has its name. */
async function named(fleet: MemoryFleet, networks: Nic[] = [{ network: 'servers' }], id = 'run-a') {
  const machine = { networks } as Machine
  const before = runOf({ id, task: 'name', fact: 'validated', facts: { machine } })
  const outcome = await allocateName(before, fleet)
  const facts = { machine, ...(outcome.kind === 'succeeded' ? outcome.facts : {}) }
  return runOf({ id, task: 'address', fact: 'named', facts })
}

const leasesOf = async (fleet: MemoryFleet) =>
  Object.keys(await fleet.files()).filter(
    (path) => /^ipam\/.*\/[0-9a-f.-]+\.yaml$/.test(path) && !path.endsWith('network.yaml'),
  )

const addresses = (outcome: Awaited<ReturnType<typeof allocateAddress>>) =>
  outcome.kind === 'succeeded'
    ? (outcome.facts?.interfaces ?? []).flatMap(({ leases }) => leases.map(({ address }) => address))
    : outcome.message

describe('allocateAddress', () => {
  it('reserves an address of each family in one commit, with identity and DNS', async () => {
    const fleet = fleetWith()
    const run = await named(fleet)
    const outcome = await allocateAddress(run, fleet)
    expect(outcome).toMatchObject({
      kind: 'succeeded',
      message: 'Reserved 10.20.0.16, fd00:20::10 for prod-shop-001',
      facts: {
        interfaces: [
          {
            name: 'nic0',
            network: 'servers',
            attachment: { namespace: 'default', name: 'servers-vlan120' },
            leases: [
              { network: 'servers', address: '10.20.0.16', prefix: 22, cidr: '10.20.0.0/22', gateway: '10.20.0.1' },
              { network: 'servers', address: 'fd00:20::10', prefix: 64, cidr: 'fd00:20::/64', gateway: 'fd00:20::1' },
            ],
            nameservers: ['10.20.0.2', 'fd00:20::2'],
            domain: 'servers.example.com',
          },
        ],
        dns: [{ recordType: 'A' }, { recordType: 'AAAA' }, { recordType: 'PTR' }, { recordType: 'PTR' }],
      },
    })
    expect(fleet.commits[1]).toMatchObject({
      subject: 'Reserve addresses of prod-shop-001 for run run-a',
      trailers: { run: 'run-a', step: 'address' },
    })
    const files = await fleet.files()
    expect(parseYaml(files['ipam/servers/fd00-20--10.yaml'] ?? '')).toEqual({
      address: 'fd00:20::10',
      network: 'servers',
      machine: 'prod-shop-001',
      namespace: 'shop',
      mac: outcome.kind === 'succeeded' && outcome.facts?.interfaces?.[0]?.mac,
      run: 'run-a',
      since: '2030-01-01T10:00:00.000Z',
    })
    expect(Object.keys((await readRecord(await fleet.head(), 'run-a'))?.wrote ?? {})).toHaveLength(3)
  })

  it('finds facts that a definition can be made of', async () => {
    const fleet = fleetWith()
    const outcome = await allocateAddress(await named(fleet, [{ network: 'servers' }, { network: 'backup' }]), fleet)
    const facts = outcome.kind === 'succeeded' ? (outcome.facts ?? {}) : {}
    expect(check(Identity, facts.identity, 'the identity')).toMatchObject({ ok: true })
    for (const nic of facts.interfaces ?? []) expect(check(Interface, nic, 'the interface')).toMatchObject({ ok: true })
    for (const record of facts.dns ?? []) expect(check(DnsRecord, record, 'the record')).toMatchObject({ ok: true })
    expect(facts.interfaces?.map(({ name }) => name)).toEqual(['nic0', 'nic1'])
  })

  it('gives an interface no nameserver, gateway or DNS record that its network does not have', async () => {
    const fleet = fleetWith(tiny)
    const run = await named(fleet, [{ network: 'tiny' }])
    expect(await allocateAddress(run, fleet)).toEqual({
      kind: 'succeeded',
      message: 'Reserved 10.9.9.2 for prod-shop-001',
      facts: {
        identity: toIdentity(run.id),
        interfaces: [
          {
            name: 'nic0',
            network: 'tiny',
            attachment: { namespace: 'a', name: 'b' },
            mac: toMac(run.id, 0),
            leases: [{ network: 'tiny', address: '10.9.9.2', prefix: 30, cidr: '10.9.9.0/30' }],
            nameservers: [],
            domain: 'c',
          },
        ],
        dns: [],
      },
    })
  })

  it('gives two interfaces in one network different addresses, the asked one to who asks', async () => {
    const fleet = fleetWith()
    const asked = { network: 'servers', addresses: ['10.20.0.16'] }
    const outcome = await allocateAddress(await named(fleet, [{ network: 'servers' }, asked]), fleet)
    expect(addresses(outcome)).toEqual(['10.20.0.17', 'fd00:20::11', '10.20.0.16', 'fd00:20::10'])
  })

  it.each<[string, Nic[], Record<string, string>, string]>([
    [
      'an address that is taken',
      [{ network: 'servers', addresses: ['10.20.0.99'] }],
      { [addressFile('servers', '10.20.0.99')]: 'address: x' },
      'Cannot reserve addresses: address "10.20.0.99" of network "servers" is taken',
    ],
    [
      'a network that is full',
      [{ network: 'tiny' }],
      { ...tiny, [addressFile('tiny', '10.9.9.2')]: 'address: x' },
      'Cannot reserve addresses: network "tiny" has no free IPv4 address: 1 of 1 that it gives out are taken (10.9.9.0/30)',
    ],
    [
      'a network that is gone',
      [{ network: 'gone' }],
      {},
      'Cannot reserve addresses: network "gone" is not there any more',
    ],
  ])('refuses %s and reserves nothing', async (_, networks, files, sentence) => {
    const fleet = fleetWith(files)
    const run = await named(fleet, networks)
    expect(await allocateAddress(run, fleet)).toMatchObject({ kind: 'refused', message: sentence })
    expect(fleet.commits).toHaveLength(1)
  })

  it('gives the same at the second delivery and changes nothing', async () => {
    const fleet = fleetWith()
    const run = await named(fleet)
    const [first, second] = await Promise.all([allocateAddress(run, fleet), allocateAddress(run, fleet)])
    expect(second).toEqual(first)
    expect(await allocateAddress(run, fleet)).toEqual(first)
    expect(await leasesOf(fleet)).toHaveLength(2)
    expect(fleet.commits).toHaveLength(2)
  })

  it('ignores an event of a run that has ended or is being undone', async () => {
    const fleet = fleetWith()
    const run = await named(fleet)
    const record = await readRecord(await fleet.head(), run.id)
    const late = { kind: 'ignored', message: `Run ${run.id} has ended: it gets no address again` }
    fleet.put({ [runFile(run.id)]: toYaml({ ...record, state: 'undoing' }) })
    expect(await allocateAddress(run, fleet)).toEqual(late)
    fleet.put({ [runFile(run.id)]: null })
    expect(await allocateAddress(run, fleet)).toEqual(late)
    expect(await leasesOf(fleet)).toEqual([])
  })

  it.each([
    ['no name', { machine: { networks: [{ network: 'servers' }] } as Machine }],
    ['no machine', { name: 'web-01' }],
  ])('gives no address to a run that has %s yet', async (_, facts) => {
    const run = runOf({ task: 'address', fact: 'named', facts })
    const fleet = await fleetOf(run)
    await expect(allocateAddress(run, fleet)).rejects.toMatchObject({
      reason: 'broken',
      message: `Cannot reserve addresses: run ${run.id} has no name or no network yet`,
    })
    expect(await leasesOf(fleet)).toEqual([])
  })

  it('looks again when somebody else took the address first', async () => {
    const fleet = fleetWith()
    const run = await named(fleet)
    fleet.interfere({ [addressFile('servers', '10.20.0.16')]: 'address: x' })
    expect(addresses(await allocateAddress(run, fleet))).toEqual(['10.20.0.17', 'fd00:20::10'])
  })

  it('gives fifty runs at once a hundred different addresses', { timeout: 30_000 }, async () => {
    const fleet = fleetWith()
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        return allocateAddress(await named(fleet, undefined, `run-${index}`), fleet)
      }),
    )
    const given = outcomes.flatMap(addresses)
    expect(new Set(given).size).toBe(100)
    expect(given).toContain('10.20.0.65')
    expect(await leasesOf(fleet)).toHaveLength(100)
  })
})
