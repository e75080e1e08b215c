import { type Static, Type } from 'typebox'
import { SecretReference } from './fleet-files.ts'
import { GuestCustomization, SecretKey } from './guest-customization.ts'
import { Image } from './machine.ts'
import { HttpsUrl, Label, LabelUpTo, LabelValue, Line, Quantity, Strict, Subdomain } from './parts.ts'

/** What a golden image is made of: the words that its request and its definition share. */

/** The objects of a run are named after the image, and their names become labels: hence shorter than those may be. */
export const ImageName = LabelUpTo(40)

/** What machines name as their image. Beside it lies what follows the tag, with an ending of its own. */
const DataSourceName = LabelUpTo(50)

const [dataSource, registry] = Image.anyOf

const Checksum = Type.String({
  pattern: '^(md5:[0-9a-f]{32}|sha1:[0-9a-f]{40}|sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$',
  description: 'the algorithm and the hex digits, such as "sha256:<64 hex digits>"',
})

/** Where the disk comes from: another image, a file by its address, or a container disk pinned by digest. */
export const ImageSource = Type.Union([
  dataSource,
  Strict({
    url: HttpsUrl,
    checksum: Type.Optional(Checksum),
    /** A ConfigMap with the authorities that vouch for the server. */
    certConfigMap: Type.Optional(Subdomain),
    /** A Secret whose values are headers of the request, such as a token. */
    secretHeaders: Type.Optional(Subdomain),
  }),
  Strict({ ...registry.properties, secret: Type.Optional(Subdomain) }),
])

/** A Secret that the cluster makes from a store; never its values. */
export const MadeSecret = Strict({
  name: Subdomain,
  store: SecretReference.properties.store,
  storeKind: SecretReference.properties.storeKind,
  data: Type.Record(
    SecretKey,
    Strict({ key: SecretReference.properties.key, property: SecretReference.properties.property }),
    { minProperties: 1, maxProperties: 16, additionalProperties: false, description: 'a key of the Secret' },
  ),
})

export const Push = Strict({
  repository: Type.String({
    pattern: '^[a-z0-9.:/_\\[\\]-]+$',
    maxLength: 255,
    description: 'a repository with its host, such as "registry.example.com/golden/rhel9"',
  }),
  tag: Type.String({
    pattern: '^[A-Za-z0-9_][A-Za-z0-9._-]*$',
    maxLength: 128,
    description: 'a tag: up to 128 letters, digits, "_", "." and "-"',
  }),
  /** The registry's credentials: a docker config, or a user name and a password. */
  secret: Type.Optional(Subdomain),
  caConfigMap: Type.Optional(Subdomain),
  /** The registry speaks http. */
  insecure: Type.Optional(Type.Boolean()),
})

/** When to look for another image under the tag, and what to look with: CDI wants `accessKeyId` and `secretKey`. */
const Follow = Strict({
  schedule: Type.String({
    pattern: '^[0-9A-Za-z*?/,-]+( [0-9A-Za-z*?/,-]+){4}$',
    maxLength: 100,
    description: 'five fields as cron has them, such as "30 2 * * 0"',
  }),
  secret: Type.Optional(Subdomain),
  certConfigMap: Type.Optional(Subdomain),
})

export const Publish = Strict({
  dataSource: Type.Optional(DataSourceName),
  follow: Type.Optional(Follow),
  instancetype: Type.Optional(Subdomain),
  preference: Type.Optional(Subdomain),
  keep: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 20, description: 'a whole number of old images from 0 to 20' }),
  ),
})

/** One disk that an image has stood for, and where it comes from. */
export const Build = Strict({
  /** Of the DataVolume and its claim. */
  name: Label,
  run: Type.String({ pattern: '^[0-9a-f]{20}$' }),
  requester: Line,
  ticket: Type.Optional(LabelValue),
  /** When it was asked for, from which follows how old it is. */
  since: Type.String({ maxLength: 40 }),
  source: ImageSource,
  /** What a DataSource stood for then. */
  version: Type.Optional(Line),
  size: Quantity,
  storageClass: Type.Optional(Subdomain),
  /** What machines get from it that name none: from the first round on, for a Job that says so cannot be changed. */
  instancetype: Type.Optional(Subdomain),
  preference: Type.Optional(Subdomain),
  /** The digest of what was done to it. */
  customization: Type.Optional(Type.String({ maxLength: 71 })),
  pushed: Type.Optional(Strict({ repository: Type.String(), tag: Type.String(), digest: Type.String() })),
  /** True while no sync may remove it. */
  kept: Type.Optional(Type.Boolean()),
})

/** What is there only while a run makes a build. */
export const Work = Strict({
  build: Build,
  volumeMode: Type.Optional(Type.Union([Type.Literal('Filesystem'), Type.Literal('Block')])),
  deadlineSeconds: Type.Integer(),
  customize: Type.Optional(
    Strict({
      image: Type.String(),
      kvm: Type.Optional(Type.Boolean()),
      sealed: Type.Optional(Type.Boolean()),
      customization: GuestCustomization,
    }),
  ),
  push: Type.Optional(Strict({ image: Type.String(), ...Push.properties })),
})

/** `images/<image>/image.yaml`: what a golden image is, was, and is becoming. */
export const GoldenImage = Strict({
  name: ImageName,
  namespace: Label,
  cluster: Subdomain,
  /** The round that wrote it last. */
  operation: Type.String({ maxLength: 100 }),
  dataSource: DataSourceName,
  follow: Type.Optional(Strict({ ...Follow.properties, repository: Type.String(), tag: Type.String() })),
  keep: Type.Integer({ minimum: 0, maximum: 20 }),
  secrets: Type.Array(MadeSecret),
  /** What the DataSource stands for; nothing before the first one is published. */
  current: Type.Optional(Build),
  /** What it stood for before, the latest first. */
  older: Type.Array(Build),
  work: Type.Optional(Work),
})

export type ImageSource = Static<typeof ImageSource>
export type MadeSecret = Static<typeof MadeSecret>
export type Build = Static<typeof Build>
export type Work = Static<typeof Work>
export type GoldenImage = Static<typeof GoldenImage>
