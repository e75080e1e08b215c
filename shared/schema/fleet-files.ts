import { type Static, Type } from 'typebox'
import { GuestCustomization } from './guest-customization.ts'
import { Guest } from './machine.ts'
import { Address, Cidr, Label, Line, labelKey, Quantity, Strict, Subdomain } from './parts.ts'

/** The files of the fleet repository that people write: networks, customizations and policy. */

/** A single address, or a range `first-last`. */
const Range = Type.String({
  pattern: '^[0-9a-fA-F:.]{2,45}(-[0-9a-fA-F:.]{2,45})?$',
  description: 'an address or a range such as "10.20.0.1-10.20.0.9"',
})

/**
 * `ipam/<network>/network.yaml`. Addresses of `reserved` are given only to a request that names them, those of
 * `exclude` to nobody. An interface gets one address of each family that the network has.
 */
export const Network = Strict({
  description: Line,
  /** The Multus NetworkAttachmentDefinition the interface is bridged to. */
  attachment: Strict({ namespace: Label, name: Subdomain }),
  subnets: Type.Array(
    Strict({
      cidr: Cidr,
      gateway: Type.Optional(Address),
      reserved: Type.Optional(Type.Array(Range, { maxItems: 64 })),
      exclude: Type.Optional(Type.Array(Range, { maxItems: 64 })),
    }),
    { minItems: 1, maxItems: 16 },
  ),
  nameservers: Type.Optional(Type.Array(Address, { maxItems: 4 })),
  domain: Subdomain,
  dns: Type.Optional(
    Strict({
      ttl: Type.Optional(Type.Integer({ minimum: 1, maximum: 86400 })),
      reverse: Type.Optional(Type.Boolean()),
    }),
  ),
})

/** A value in a secret store, by reference. Customizations use it as `${secret.<name>}`. */
export const SecretReference = Strict({
  store: Subdomain,
  storeKind: Type.Optional(Type.Union([Type.Literal('ClusterSecretStore'), Type.Literal('SecretStore')])),
  key: Line,
  property: Type.Optional(Line),
})

/** `customizations/<name>.yaml`: a part of cloud-init's user-data and network-data, or a Windows answer file. */
export const Customization = Strict({
  description: Line,
  guest: Guest,
  /** cloud-config, merged in the order of the request by cloud-init's own rules (`merge_how`, `merge_type`). */
  userData: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  /** Network configuration version 2, merged over what the allocation gives. */
  networkData: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  /** What is done to a disk while nothing runs from it: by a patch, or for a golden image. */
  disk: Type.Optional(GuestCustomization),
  /** Windows `unattend.xml`. At most one customization of a machine has it. */
  unattend: Type.Optional(Type.String({ maxLength: 65536 })),
  secrets: Type.Optional(
    Type.Record(Type.String({ pattern: '^[a-z][a-zA-Z0-9]{0,31}$' }), SecretReference, {
      additionalProperties: false,
      description: 'the name of a secret: up to 32 letters and digits, beginning with a small letter',
    }),
  ),
  /** Variables that must have a value, with the one to take when the request gives none. */
  variables: Type.Optional(
    Type.Record(
      Type.String({ pattern: '^[a-z][a-zA-Z0-9]{0,31}$' }),
      Strict({ description: Line, default: Type.Optional(Line) }),
      {
        additionalProperties: false,
        description: 'the name of a variable: up to 32 letters and digits, beginning with a small letter',
      },
    ),
  ),
})

/** A word in which `*` stands for anything, such as "team-*". */
const Glob = Type.String({
  pattern: '^[a-zA-Z0-9.*:/@_-]{1,253}$',
  description: 'a word of letters, digits and ".:/@_-", in which "*" stands for anything',
})

/** The same for people and sources, whom others have named: `*` stands for anything, all else for itself. */
const Who = Type.String({
  pattern: '^[\\x20-\\x7e]{1,256}$',
  description: 'up to 256 characters of ASCII, in which "*" stands for anything',
})

/** `policy/<name>.yaml`. A request must satisfy every rule of every file. */
export const Policy = Strict({
  description: Line,
  /** The namespaces these rules hold for; all of them when absent. */
  namespaces: Type.Optional(Type.Array(Glob)),
  rules: Strict({
    allowSources: Type.Optional(Type.Array(Who)),
    allowRequesters: Type.Optional(Type.Array(Who)),
    allowNamespaces: Type.Optional(Type.Array(Glob)),
    denyNamespaces: Type.Optional(Type.Array(Glob)),
    names: Type.Optional(Strict({ pattern: Type.String({ maxLength: 200 }), wanted: Line })),
    denyNames: Type.Optional(Type.Array(Glob)),
    allowTemplates: Type.Optional(Type.Array(Glob)),
    allowImages: Type.Optional(Type.Array(Glob)),
    /** Where golden images come from when it is no DataSource: `https://…` and `docker://…`; the host by itself. */
    allowImageSources: Type.Optional(Type.Array(Glob)),
    /** The repositories that golden images are pushed to. */
    allowPushes: Type.Optional(Type.Array(Glob)),
    /** What a request may have read: from a store of secrets, as `<store>/<key>`, and Secrets of its namespace, as `Secret:<name>/<key>`. */
    allowSecrets: Type.Optional(Type.Array(Glob)),
    allowNetworks: Type.Optional(Type.Array(Glob)),
    allowClusters: Type.Optional(Type.Array(Glob)),
    allowOwners: Type.Optional(Type.Array(Glob)),
    allowCallbackHosts: Type.Optional(Type.Array(Glob)),
    maxCores: Type.Optional(Type.Integer({ minimum: 1 })),
    maxMemory: Type.Optional(Quantity),
    maxDisks: Type.Optional(Type.Integer({ minimum: 0 })),
    maxDiskSize: Type.Optional(Quantity),
    allowInstancetypes: Type.Optional(Type.Array(Glob)),
    requireTicket: Type.Optional(Type.Boolean()),
    requiredLabels: Type.Optional(
      Type.Array(Type.String({ pattern: labelKey, maxLength: 317, description: 'a label key such as "cost-center"' })),
    ),
  }),
})

export type Network = Static<typeof Network>
export type Customization = Static<typeof Customization>
export type SecretReference = Static<typeof SecretReference>
export type Policy = Static<typeof Policy>
