import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { KubeObject } from '../../local/clusters/object.ts'
import type { MachineAddress } from '../../shared/machines.ts'
import { addressFile, nameFile, runFile } from '../../shared/paths.ts'
import type { Definition, DnsRecord } from '../../shared/schema/definition.ts'
import { type Found, type NameServer, startNameServer } from '../name-server.ts'
import { type Enterprise, startEnterprise } from './enterprise.ts'
import { type Chain, isReal, startChain } from './harness.ts'
import { machinesOf, place } from './machines.ts'

/** What others know of a machine: the CMDB, and the name servers that ExternalDNS fills from what is on the clusters. */

let chain: Chain
let cmdb: Enterprise
let server: NameServer
/** Records that a name server goes on answering with, whatever became of them. */
const stale = new Map<string, Found>()
/** Names that the servers cannot say anything of. */
const broken = new Set<string>()

beforeAll(async () => {
  cmdb = await startEnterprise()
  server = await startNameServer(async (type, name) =>
    broken.has(name) ? 'failure' : ((await registered(type, name)) ?? stale.get(`${type} ${name}`) ?? 'no such name'),
  )
  chain = await startChain({ ...cmdb.settings, DROVER_DNS_RESOLVERS: server.address, DROVER_GRACE_SECONDS: '2' })
})
afterAll(async () => {
  await chain.close()
  cmdb.close()
  server.close()
})

/** What ExternalDNS would have put into the zone. */
async function registered(type: string, name: string): Promise<Found | undefined> {
  const found = await Promise.all(chain.sites.map((site) => chain.list(site, 'DNSEndpoint', 'shop')))
  const records = found
    .flat()
    .flatMap((endpoint: KubeObject) => (endpoint['spec'] as { endpoints: DnsRecord[] }).endpoints)
  const record = records.find(({ dnsName, recordType }) => dnsName === name && recordType === type)
  return record && { target: record.targets[0] ?? '' }
}

const { asked, completed, provisioned, definitionOf, recorded, claimsOf } = machinesOf(() => chain)

const keyOf = ({ recordType, dnsName }: DnsRecord) => `${recordType} ${dnsName}`
const leasesOf = ({ interfaces }: Definition) =>
  interfaces.flatMap(({ network, leases }) => leases.map(({ address }) => ({ network, address })))
const macsOf = ({ interfaces }: Definition) => interfaces.map(({ mac }) => mac)
const claimed = ({ name }: MachineAddress, definition: Definition) => [
  nameFile(name),
  ...leasesOf(definition).map(({ network, address }) => addressFile(network, address)),
]

describe.skipIf(isReal())('a machine', { timeout: 180_000 }, () => {
  it('is in the CMDB and in the DNS as long as it is there, and its name and addresses are held as long', async () => {
    const vm = await provisioned()
    const definition = await definitionOf(vm)
    expect(definition.dns.map(({ recordType }) => recordType)).toEqual(['A', 'AAAA', 'PTR', 'PTR'])
    expect(cmdb.told.get(vm.name)).toMatchObject({
      state: 'operational',
      fqdn: `${vm.name}.servers.example.com`,
      addresses: leasesOf(definition)
        .map(({ address }) => address)
        .join(' '),
    })
    for (const record of definition.dns)
      expect(await registered(record.recordType, record.dnsName)).toEqual({ target: record.targets[0] })
    expect(Object.keys(await chain.files())).toEqual(expect.arrayContaining(claimed(vm, definition)))

    const { run } = await completed('deprovision', place(vm))
    const said = (fact: string) => run.events().find(({ type }) => type.endsWith(`deprovision.${fact}`))?.data.message
    expect(said('absent')).toBe(`No name server knows ${vm.name} any more`)
    expect(said('retired')).toContain(`Registered ${vm.name} as retired`)
    expect(cmdb.records.get(vm.name)).toBe('retired')
    for (const record of definition.dns) expect(await registered(record.recordType, record.dnsName)).toBeUndefined()
    const files = Object.keys(await chain.files())
    expect(claimed(vm, definition).filter((path) => files.includes(path))).toEqual([])
  })

  it('has a name of its own, addresses, MAC, identity, disks, DNS and CMDB records, when it is made from a snapshot', async () => {
    const vm = await provisioned({ disks: [{ name: 'data', size: '5Gi' }] })
    await completed('snapshot', { ...place(vm), snapshot: 'clean' })
    const copy = { ...vm, name: `${vm.name}-copy` }
    const { run } = await completed('clone', { ...place(vm), snapshot: 'clean', as: { name: copy.name } })
    const [one, other] = [await definitionOf(vm), await definitionOf(copy)]
    const shared = <T>(of: (definition: Definition) => T[]) => of(one).filter((each) => of(other).includes(each))
    expect(other.identity.uuid).not.toBe(one.identity.uuid)
    expect(other.identity.serial).not.toBe(one.identity.serial)
    expect(macsOf(other)).toHaveLength(macsOf(one).length)
    expect(shared(macsOf)).toEqual([])
    expect(shared((definition) => leasesOf(definition).map(({ address }) => address))).toEqual([])
    expect(shared((definition) => definition.dns.map(keyOf))).toEqual([])
    for (const record of [...one.dns, ...other.dns])
      expect(await registered(record.recordType, record.dnsName)).toEqual({ target: record.targets[0] })
    // A record is of a machine and of the run that made it.
    expect([cmdb.told.get(vm.name)?.['state'], cmdb.told.get(copy.name)?.['state']]).toEqual([
      'operational',
      'operational',
    ])
    expect(cmdb.told.get(copy.name)?.['run']).toBe(run.id)
    expect(cmdb.told.get(vm.name)?.['run']).not.toBe(run.id)
    const [claims, copied] = [await claimsOf(vm), await claimsOf(copy)]
    expect(Object.keys(copied)).toHaveLength(Object.keys(claims).length)
    const isOfBoth = (uid: string) => Object.values(claims).includes(uid)
    expect(Object.values(copied).filter(isOfBoth)).toEqual([])
    expect(Object.keys(await recorded(copy))).toHaveLength(1)
  })

  it.concurrent.each<[string, (record: DnsRecord) => unknown, RegExp]>([
    [
      'a name server still has',
      (record) => stale.set(keyOf(record), { target: record.targets[0] ?? '' }),
      /^((?!no name server).)*$/,
    ],
    ['nobody can be asked for', ({ dnsName }) => broken.add(dnsName), /no name server answers/],
  ])('whose name %s is not said to be gone: its run waits, and fails with a sentence', async (_, leave, how) => {
    const vm = await provisioned()
    const [record] = (await definitionOf(vm)).dns
    if (!record) expect.fail('it has no DNS record')
    leave(record)
    const { run, ended } = await asked('deprovision', { ...place(vm), deadlineMinutes: 1 })
    const told = run.events().filter(({ type }) => type.endsWith('deprovision.absence.progressing'))
    expect(told.at(-1)?.data.message).toContain(`Waiting until these names are gone: ${record.dnsName}`)
    const failed = run.events().find(({ type }) => type.endsWith('.failed'))
    expect(failed?.type).toBe('dev.drover.deprovision.absence.failed')
    expect(failed?.data.message).toMatch(/^These names still resolve: .*; the run's time was up at 20/)
    expect(failed?.data.message).toMatch(how)
    // Its machine is gone, so nothing can be taken back.
    expect(ended.type).toBe('dev.drover.deprovision.stranded')
    expect(ended.data.message).toContain(record.dnsName)
    expect(Object.keys(await chain.files())).toContain(runFile(run.id))
    expect(cmdb.records.get(vm.name)).toBe('operational')
  })
})
