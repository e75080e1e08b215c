import type { Interface } from '../schema/definition.ts'
import type { Customization, SecretReference } from '../schema/fleet-files.ts'
import type { Lookup } from './fill.ts'
import { toMark } from './secrets.ts'

/** What a guest is set up from. */
export interface Guest {
  kind: 'linux' | 'windows'
  name: string
  namespace: string
  interfaces: readonly Interface[]
  variables: Readonly<Record<string, string>>
  customizations: readonly NamedCustomization[]
}

export type NamedCustomization = Customization & { name: string }

/** The fully qualified name of a machine: its name in the domain of its first interface. */
export const fqdnOf = (name: string, interfaces: readonly Interface[]) =>
  interfaces[0] ? `${name}.${interfaces[0].domain}` : name

/** What the placeholders of one customization stand for. */
export function toLookup(
  customization: NamedCustomization,
  guest: Guest,
  secrets: ReadonlyMap<string, SecretReference>,
): Lookup {
  const defaults = Object.entries(customization.variables ?? {}).flatMap(([name, variable]) =>
    variable.default === undefined ? [] : [[name, variable.default] as const],
  )
  const values = new Map([
    ...defaults,
    ...Object.entries(guest.variables).filter(([name]) => !allocated.has(name)),
    ...firstAddress(guest.interfaces),
    ['name', guest.name],
    ['fqdn', fqdnOf(guest.name, guest.interfaces)],
    ['namespace', guest.namespace],
  ] as [string, string][])
  return (placeholder) => {
    const secret = /^secret\.(.+)$/.exec(placeholder)?.[1]
    if (secret === undefined) return values.get(placeholder)
    return secrets.has(secret) ? toMark(secret) : undefined
  }
}

/** What a request cannot say: answer files put these into commands, and nobody may bring along an address of their own. */
const allocated = new Set(['mac', 'domain', 'address', 'prefix', 'gateway', 'nameserver'])

/** For answer files, which have no network-data: the first interface's MAC and first address. */
function firstAddress([first]: readonly Interface[]): [string, string][] {
  const lease = first?.leases[0]
  if (!first || !lease) return []
  const { address, prefix, gateway } = lease
  const pairs: [string, string | undefined][] = [
    ['mac', first.mac],
    ['domain', first.domain],
    ['address', address],
    ['prefix', String(prefix)],
    ['gateway', gateway],
    ['nameserver', first.nameservers[0]],
  ]
  return pairs.filter((pair): pair is [string, string] => pair[1] !== undefined)
}
