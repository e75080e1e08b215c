import { type Static, Type } from 'typebox'
import { SecretReference } from './fleet-files.ts'
import { DataDisk, Guest, Image, LabelMap, Owner, Placement, RootDisk, Size } from './machine.ts'
import { Address, Cidr, Label, Line, Strict, Subdomain } from './parts.ts'

/** One address that a run holds: a file in `ipam/<network>/`. */
export const Lease = Strict({
  network: Label,
  address: Address,
  prefix: Type.Integer({ minimum: 0, maximum: 128 }),
  cidr: Cidr,
  gateway: Type.Optional(Address),
})

/** One interface with what stays for the machine's life. */
export const Interface = Strict({
  name: Label,
  network: Label,
  attachment: Strict({ namespace: Label, name: Subdomain }),
  mac: Type.String({ pattern: '^([0-9a-f]{2}:){5}[0-9a-f]{2}$' }),
  leases: Type.Array(Lease),
  nameservers: Type.Array(Address),
  domain: Subdomain,
})

/** One DNS record set, as ExternalDNS takes it. */
export const DnsRecord = Strict({
  dnsName: Type.String({ maxLength: 253 }),
  recordType: Type.Union([Type.Literal('A'), Type.Literal('AAAA'), Type.Literal('PTR')]),
  targets: Type.Array(Type.String({ maxLength: 253 })),
  recordTTL: Type.Integer(),
})

/** What never changes in a machine's life; KubeVirt would make it up anew at each creation. */
export const Identity = Strict({
  uuid: Type.String({ format: 'uuid' }),
  serial: Type.String({ format: 'uuid' }),
})

/**
 * What the guest reads at its first boot. The texts hold `{{ .name }}` where External Secrets puts the value of
 * `secrets.name`, so they can stand in Git.
 */
export const GuestConfiguration = Strict({
  userData: Type.Optional(Type.String()),
  networkData: Type.Optional(Type.String()),
  unattend: Type.Optional(Type.String()),
  secrets: Type.Record(Type.String(), SecretReference),
})

/** `vms/<cluster>/<namespace>/<vm>/values.yaml`: the machine's definition, the source of truth, and Helm values. */
export const Definition = Strict({
  name: Label,
  namespace: Label,
  cluster: Subdomain,
  owner: Owner,
  requester: Line,
  template: Label,
  /** `<runid>.<step>` of the round that wrote this; the cluster shows it as an annotation once it has followed. */
  operation: Line,
  labels: LabelMap,
  running: Type.Boolean(),
  guest: Guest,
  guestAgent: Type.Boolean(),
  image: Image,
  size: Size,
  rootDisk: RootDisk,
  disks: Type.Array(DataDisk),
  identity: Identity,
  interfaces: Type.Array(Interface, { minItems: 1 }),
  dns: Type.Array(DnsRecord),
  customizations: Type.Array(Label),
  guestConfiguration: GuestConfiguration,
  placement: Placement,
})

export type Lease = Static<typeof Lease>
export type Interface = Static<typeof Interface>
export type DnsRecord = Static<typeof DnsRecord>
export type Identity = Static<typeof Identity>
export type GuestConfiguration = Static<typeof GuestConfiguration>
export type Definition = Static<typeof Definition>
