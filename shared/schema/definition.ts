import { type Static, Type } from 'typebox'
import { SecretReference } from './fleet-files.ts'
import { GuestCustomization } from './guest-customization.ts'
import { DataDisk, Guest, Image, LabelMap, Owner, Placement, RootDisk, Size, Variables } from './machine.ts'
import { Address, Cidr, Label, Line, Quantity, Strict, Subdomain } from './parts.ts'

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

/** A disk's size when it was made, once it has grown: a DataVolume cannot be changed, only its claim can. */
const made = Type.Optional(Quantity)

/** The VolumeSnapshot that a disk was made from. */
const snapshot = Type.Optional(Subdomain)

/** True for a disk that is filled from its snapshot at once, not when its machine starts: the snapshot may go then. */
const atOnce = Type.Optional(Type.Boolean())

/** What a golden image's DataSource stood for when a disk was made from it, such as "pvc golden/rhel9-4f2a". */
const version = Type.Optional(Line)

/** The root disk; its name follows from its image unless another one took its place. */
const DefinedRootDisk = Strict({
  ...RootDisk.properties,
  name: Type.Optional(Subdomain),
  ...{ version, snapshot, atOnce, made },
})

/** A data disk; its name follows from the machine unless it was another machine's before, or comes from a snapshot. */
const DefinedDataDisk = Strict({
  ...DataDisk.properties,
  claim: Type.Optional(Subdomain),
  ...{ snapshot, atOnce, made },
  /** True once a request has named it to be destroyed: nothing keeps it any more. */
  destroyed: Type.Optional(Type.Boolean()),
})

/** A root disk beside the one that is in use: the next one while it is made, or an old one until its time is over. */
const SpareRoot = Strict({
  name: Subdomain,
  image: Image,
  size: Quantity,
  storageClass: Type.Optional(Subdomain),
  ...{ version, snapshot, atOnce, made },
  until: Type.Optional(Line),
})

/** A snapshot of the machine: one that somebody asked for, one to go back to while a run goes on, or the last one. */
export const DefinedSnapshot = Strict({
  name: Subdomain,
  purpose: Type.Union([Type.Literal('asked'), Type.Literal('undo'), Type.Literal('final')]),
  run: Line,
  /** The claims of the machine's disks at that time: of other disks it knows nothing. */
  disks: Type.Array(Subdomain),
  taken: Line,
  until: Type.Optional(Line),
})

/** `vms/<cluster>/<namespace>/<vm>/values.yaml`: the machine's definition, the source of truth. */
export const Definition = Strict({
  name: Label,
  namespace: Label,
  cluster: Subdomain,
  owner: Owner,
  requester: Line,
  template: Label,
  /** `<runid>.<round>`, or `<runid>.undo-<stage>`, of what wrote this; the cluster shows it as an annotation once it has followed. */
  operation: Line,
  labels: LabelMap,
  running: Type.Boolean(),
  guest: Guest,
  guestAgent: Type.Boolean(),
  image: Image,
  size: Size,
  rootDisk: DefinedRootDisk,
  disks: Type.Array(DefinedDataDisk),
  identity: Identity,
  interfaces: Type.Array(Interface, { minItems: 1 }),
  dns: Type.Array(DnsRecord),
  customizations: Type.Array(Label),
  variables: Type.Optional(Variables),
  guestConfiguration: GuestConfiguration,
  placement: Placement,
  nextRoot: Type.Optional(SpareRoot),
  oldRoots: Type.Optional(Type.Array(SpareRoot)),
  snapshots: Type.Optional(Type.Array(DefinedSnapshot)),
  /** A Job that changes the root disk while the machine is off, by the run that asked for it. */
  patch: Type.Optional(
    Strict({
      name: Subdomain,
      image: Line,
      kvm: Type.Optional(Type.Boolean()),
      volumeMode: Type.Union([Type.Literal('Filesystem'), Type.Literal('Block')]),
      customization: GuestCustomization,
      deadlineSeconds: Type.Integer({ minimum: 60 }),
    }),
  ),
  /**
   * A restore of this machine's disks, by the run that needs it. `replaces` one of the same name, whatever became of it: one
   * that goes on would keep this one waiting for ever, and Argo CD takes none away, for KubeVirt makes them the machine's.
   */
  restore: Type.Optional(Strict({ name: Subdomain, snapshot: Subdomain, replaces: Type.Optional(Type.Literal(true)) })),
  /** True once KubeVirt has restored the machine in place: its spec then names revisions of what gives it its size. */
  pinned: Type.Optional(Type.Boolean()),
  /** A live migration to another node, by the run that asked for it. */
  migration: Type.Optional(Strict({ name: Subdomain })),
})

export type Lease = Static<typeof Lease>
export type Interface = Static<typeof Interface>
export type DnsRecord = Static<typeof DnsRecord>
export type Identity = Static<typeof Identity>
export type GuestConfiguration = Static<typeof GuestConfiguration>
export type DefinedSnapshot = Static<typeof DefinedSnapshot>
export type SpareRoot = Static<typeof SpareRoot>
export type Definition = Static<typeof Definition>
