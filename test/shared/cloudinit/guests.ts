import type { Guest, NamedCustomization } from '../../../shared/cloudinit/lookup.ts'
import type { Interface } from '../../../shared/schema/definition.ts'

/** One interface with an address of each family. */
export const dualStack = (): Interface => ({
  name: 'nic0',
  network: 'servers',
  attachment: { namespace: 'default', name: 'servers-vlan120' },
  mac: '02:00:00:00:00:01',
  leases: [
    { network: 'servers', address: '10.20.0.17', prefix: 22, cidr: '10.20.0.0/22', gateway: '10.20.0.1' },
    { network: 'servers', address: 'fd00:20::17', prefix: 64, cidr: 'fd00:20::/64', gateway: 'fd00:20::1' },
  ],
  nameservers: ['10.20.0.2'],
  domain: 'servers.example.com',
})

/** A second interface, of a network with a way out of its own. */
export const second = (): Interface => ({
  name: 'nic1',
  network: 'backup',
  attachment: { namespace: 'default', name: 'backup-vlan190' },
  mac: '02:00:00:00:00:02',
  leases: [{ network: 'backup', address: '10.90.0.32', prefix: 22, cidr: '10.90.0.0/22', gateway: '10.90.0.1' }],
  nameservers: [],
  domain: 'backup.example.com',
})

/** A Linux guest with the given customizations, named c0, c1, … */
export const linuxGuest = (customizations: Partial<NamedCustomization>[], rest: Partial<Guest> = {}): Guest => ({
  kind: 'linux',
  name: 'web-01',
  namespace: 'shop',
  interfaces: [dualStack()],
  variables: {},
  customizations: customizations.map((one, at) => ({ name: `c${at}`, description: 'a test', guest: 'linux', ...one })),
  ...rest,
})

/** What External Secrets makes of a template with these secrets: the few actions that we write, as Go does them. */
export function rendered(template: string, secrets: Record<string, string>): string {
  return template.replace(
    /\{\{ (?:slice \(toJson \.(\w+)\) 1 \(sub \(len \(toJson \.\w+\)\) 1\)|\.(\w+) \| html|`([{}]+)`) \}\}/g,
    (_, json?: string, html?: string, literal?: string) => {
      if (json !== undefined) return JSON.stringify(secrets[json]).slice(1, -1)
      if (html !== undefined) return (secrets[html] ?? '').replace(/[&<>"']/g, (one) => `&#${one.charCodeAt(0)};`)
      return literal ?? ''
    },
  )
}
