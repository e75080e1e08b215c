import { type Assessment, reached, troubled, waiting } from '../../shared/goals/assessment.ts'
import type { MachineView } from '../../shared/machines.ts'
import type { Definition } from '../../shared/schema/definition.ts'

/** Looks names up where a resolver is configured. */
export interface Resolver {
  /** The targets of a record, nothing when there is no such record; undefined when no name server could say. */
  resolve(name: string, type: 'A' | 'AAAA' | 'PTR'): Promise<string[] | undefined>
}

/** The running machine has the addresses that were allocated to it. */
export function assessAddresses({ instance }: MachineView, definition: Definition): Assessment {
  const shown = instance?.status?.interfaces ?? []
  const ofMac = (mac: string) =>
    shown
      .filter((one) => one.mac?.toLowerCase() === mac)
      .flatMap((one) => one.ipAddresses ?? (one.ipAddress ? [one.ipAddress] : []))
  const missing = definition.interfaces.flatMap(({ mac, leases }) =>
    leases
      .filter(({ address }) => !ofMac(mac).includes(address))
      .map(({ address }) => ({ address, mac, has: ofMac(mac) })),
  )
  const [first] = missing
  if (!first) return reached(haveAddresses(definition))
  const what = `the interface ${first.mac} has ${first.has.length === 0 ? 'no address' : first.has.join(', ')}, wanted ${first.address}`
  return first.has.length === 0 ? waiting(what) : troubled(what)
}

export const haveAddresses = ({ name }: Definition) => `VM ${name} has the addresses that were allocated`

/** Every DNS record of the machine resolves to what was registered; reached at once where no resolver is configured. */
export async function assessNames(definition: Definition, resolver: Resolver | undefined): Promise<Assessment> {
  if (!resolver) return reached('no resolver is configured')
  for (const { dnsName, recordType, targets } of definition.dns) {
    const found = await resolver.resolve(dnsName, recordType)
    if (!found) return waiting(`no name server says what ${recordType} ${dnsName} resolves to`)
    const lacking = targets.filter((target) => !found.map(plainName).includes(plainName(target)))
    if (lacking.length > 0)
      return waiting(
        `${recordType} ${dnsName} resolves to ${found.join(', ') || 'nothing'}, wanted ${lacking.join(', ')}`,
      )
  }
  return reached(`${definition.dns.length} DNS records resolve`)
}

/** As name servers say a target in other ways: with a dot at the end, in capital letters. */
export const plainName = (name: string): string => name.replace(/\.$/, '').toLowerCase()
