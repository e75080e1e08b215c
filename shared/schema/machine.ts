import { type Static, Type } from 'typebox'
import { Address, Label, LabelValue, Line, labelKey, Quantity, Strict, Subdomain } from './parts.ts'

/** What a machine is made of: the words that templates, requests and definitions share. */

export const Guest = Type.Union([Type.Literal('linux'), Type.Literal('windows')])

/** Where the root disk comes from: a golden image published as a DataSource, or a container disk pinned by digest. */
export const Image = Type.Union([
  Strict({ dataSource: Subdomain, namespace: Label }),
  Strict({
    registry: Type.String({
      pattern: '^docker://[a-z0-9.:/_-]+@sha256:[0-9a-f]{64}$',
      maxLength: 512,
      description:
        'a container disk pinned by digest, such as "docker://registry.example.com/rhel9@sha256:<64 hex digits>"',
    }),
  }),
])

/** A named instance type (with a preference for the guest), or plain CPU and memory. */
export const Size = Type.Union([
  Strict({ instancetype: Subdomain, preference: Type.Optional(Subdomain) }),
  Strict({
    cores: Type.Integer({ minimum: 1, maximum: 256, description: 'a whole number of CPU cores from 1 to 256' }),
    memory: Quantity,
    preference: Type.Optional(Subdomain),
  }),
])

export const RootDisk = Strict({ size: Quantity, storageClass: Type.Optional(Subdomain) })

/** A data disk: created blank, never owned by the machine, never removed by a sync. */
export const DataDisk = Strict({
  name: Type.String({
    pattern: '^[a-z]([-a-z0-9]{0,18}[a-z0-9])?$',
    description: 'up to 20 lower-case letters, digits and "-", beginning with a letter',
  }),
  size: Quantity,
  storageClass: Type.Optional(Subdomain),
})

/** One network interface. The first one carries the machine's name in DNS. */
export const Nic = Strict({
  network: Label,
  addresses: Type.Optional(Type.Array(Address, { maxItems: 2, description: 'at most one IPv4 and one IPv6 address' })),
})

const Toleration = Strict({
  key: Type.Optional(Type.String({ pattern: labelKey, maxLength: 317, description: 'a taint key' })),
  operator: Type.Optional(Type.Union([Type.Literal('Equal'), Type.Literal('Exists')])),
  value: Type.Optional(LabelValue),
  effect: Type.Optional(
    Type.Union([Type.Literal('NoSelect'), Type.Literal('PreferNoSelect'), Type.Literal('NoSelectIfNew')]),
  ),
})

export const LabelMap = Type.Record(Type.String({ pattern: labelKey }), LabelValue, {
  maxProperties: 32,
  additionalProperties: false,
  description: 'a label key such as "tier" or "example.com/tier"',
})

const Expression = Strict({
  key: Type.String({ pattern: labelKey, maxLength: 317 }),
  operator: Type.Union([
    Type.Literal('In'),
    Type.Literal('NotIn'),
    Type.Literal('Exists'),
    Type.Literal('DoesNotExist'),
  ]),
  values: Type.Optional(Type.Array(LabelValue, { maxItems: 32 })),
})

/** One predicate of an OCM Placement; a cluster must fit one of them. */
const Predicate = Strict({
  labels: Type.Optional(LabelMap),
  expressions: Type.Optional(Type.Array(Expression, { maxItems: 16 })),
  claims: Type.Optional(Type.Array(Expression, { maxItems: 16 })),
})

/** One prioritizer of an OCM Placement: built in, or a score that an add-on publishes as `<resource>/<score>`. */
const Prioritizer = Strict({
  score: Type.String({
    pattern:
      '^(Balance|Steady|ResourceAllocatableCPU|ResourceAllocatableMemory|[a-z0-9][-a-z0-9.]{0,61}/[a-zA-Z0-9][-a-zA-Z0-9.]{0,61})$',
    description:
      '"Balance", "Steady", "ResourceAllocatableCPU", "ResourceAllocatableMemory" or an add-on score "<resource>/<score>"',
  }),
  weight: Type.Integer({ minimum: -10, maximum: 10, description: 'a whole number from -10 to 10' }),
})

/** A fixed cluster, or what OCM is to choose by. */
export const Placement = Type.Union([
  Strict({ cluster: Subdomain }),
  Strict({
    clusterSets: Type.Optional(Type.Array(Subdomain, { maxItems: 16 })),
    predicates: Type.Optional(Type.Array(Predicate, { maxItems: 16 })),
    prioritizers: Type.Optional(Type.Array(Prioritizer, { maxItems: 16 })),
    tolerations: Type.Optional(Type.Array(Toleration, { maxItems: 16 })),
  }),
])

export const Owner = Strict({
  kind: Type.Union([Type.Literal('User'), Type.Literal('Group')]),
  name: Type.String({
    pattern: '^[A-Za-z0-9]([A-Za-z0-9 @._:/-]*[A-Za-z0-9])?$',
    maxLength: 128,
    description: 'the name of a user or group as the cluster knows it, such as "team-web" or "ann@example.com"',
  }),
})

/** Values that customizations may use as `${name}`. They are public: a secret comes from a secret store, by reference. */
export const Variables = Type.Record(Type.String({ pattern: '^[a-z][a-zA-Z0-9]{0,31}$' }), Line, {
  maxProperties: 32,
  additionalProperties: false,
  description: 'the name of a variable: up to 32 letters and digits, beginning with a small letter',
})

/** What a machine is to be, after template and request have been joined, and before it has a name or an address. */
export const Machine = Strict({
  template: Label,
  guest: Guest,
  guestAgent: Type.Boolean(),
  image: Image,
  size: Size,
  rootDisk: RootDisk,
  disks: Type.Array(DataDisk, { maxItems: 16 }),
  networks: Type.Array(Nic, { minItems: 1, maxItems: 8 }),
  customizations: Type.Array(Label, { maxItems: 16 }),
  variables: Variables,
  placement: Placement,
})

export type Guest = Static<typeof Guest>
export type Image = Static<typeof Image>
export type Size = Static<typeof Size>
export type DataDisk = Static<typeof DataDisk>
export type Nic = Static<typeof Nic>
export type Placement = Static<typeof Placement>
export type Owner = Static<typeof Owner>
export type Machine = Static<typeof Machine>
