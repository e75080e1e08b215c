import { isDict } from '../dict.ts'
import type { Interface, Lease } from '../schema/definition.ts'
import { toYaml } from '../yaml.ts'

/**
 * cloud-init's network-data, version 2: every interface found by its MAC, with its addresses. Each part is put over it
 * key by key, so that a part that says only `mtu` keeps the addresses.
 * https://cloudinit.readthedocs.io/en/latest/reference/network-config-format-v2.html
 */
export function networkData(interfaces: readonly Interface[], parts: readonly object[]): string {
  const ethernets = Object.fromEntries(interfaces.map((one) => [one.name, toEthernet(one, interfaces)]))
  return toYaml(parts.reduce<unknown>(overlay, { version: 2, ethernets }))
}

function toEthernet(one: Interface, all: readonly Interface[]) {
  const routes = one.leases.filter((lease) => isWayOut(lease, all)).map(toDefaultRoute)
  return {
    match: { macaddress: one.mac },
    'set-name': one.name,
    dhcp4: one.leases.length === 0,
    dhcp6: false,
    ...(one.leases.length > 0 && { addresses: one.leases.map(({ address, prefix }) => `${address}/${prefix}`) }),
    ...(routes.length > 0 && { routes }),
    ...(one.nameservers.length > 0 && { nameservers: { addresses: one.nameservers, search: [one.domain] } }),
  }
}

const isIpv6 = ({ address }: Lease) => address.includes(':')

/** Two default routes of one family would fight: the first interface that has a gateway has it. */
function isWayOut(lease: Lease, all: readonly Interface[]): boolean {
  const gateways = all.flatMap((one) => one.leases).filter((other) => other.gateway !== undefined)
  return gateways.find((other) => isIpv6(other) === isIpv6(lease)) === lease
}

// Not `default`: cloud-init before 22.x reads only the written-out form.
const toDefaultRoute = (lease: Lease) => ({ to: isIpv6(lease) ? '::/0' : '0.0.0.0/0', via: lease.gateway })

function overlay(under: unknown, over: unknown): unknown {
  if (!isDict(under) || !isDict(over)) return over
  const merged = new Map(Object.entries(under))
  for (const [key, value] of Object.entries(over))
    merged.set(key, merged.has(key) ? overlay(merged.get(key), value) : value)
  return Object.fromEntries(merged)
}
