import { type Static, Type } from 'typebox'
import type { LifecycleName } from '../lifecycles.ts'
import { ImageName, ImageSource, MadeSecret, Publish, Push } from './golden-image.ts'
import { GuestCustomization } from './guest-customization.ts'
import { DataDisk, Image, Owner, Size } from './machine.ts'
import { HttpsUrl, Label, LabelUpTo, LabelValue, Line, Quantity, Strict, Subdomain } from './parts.ts'
import { ProvisionRequest } from './provision-request.ts'

/** The data of each lifecycle's `requested` event: what a requester may ask for. */

const days = Type.Integer({ minimum: 1, maximum: 3650, description: 'a whole number of days from 1 to 3650' })
const DiskName = Type.Index(DataDisk, ['name'])
const diskNames = (options: object = {}) => Type.Array(DiskName, { maxItems: 16, uniqueItems: true, ...options })

/** What a request says of itself, whatever it is about. */
const general = {
  requester: Type.Optional(Line),
  ticket: Type.Optional(LabelValue),
  callback: Type.Optional(Strict({ url: HttpsUrl })),
  deadlineMinutes: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 1440, description: 'a whole number of minutes from 1 to 1440' }),
  ),
  /** Says what would be done, and changes nothing. */
  plan: Type.Optional(Type.Boolean()),
  /** Waits for the run that holds the machine or the image, where it would else be refused. */
  wait: Type.Optional(Type.Boolean()),
}

/** What every request for a machine that there is says. */
const common = {
  namespace: Label,
  name: Label,
  /** The cluster it is on, where its name alone does not tell. */
  cluster: Type.Optional(Subdomain),
  ...general,
}

/** The name of a snapshot within its machine. */
const SnapshotName = LabelUpTo(40)

const DeprovisionRequest = Strict({
  ...common,
  /** Data disks to destroy, each by its name; all others are kept. */
  destroy: Type.Optional(diskNames()),
  /** Takes a last snapshot, which is kept with the disks. */
  finalSnapshot: Type.Optional(Type.Boolean()),
})

const RepaveRequest = Strict({
  ...common,
  /** The golden image; the one of the machine's template where it is left out. */
  image: Type.Optional(Image),
  /** How long the old root disk is kept (7). */
  keepDays: Type.Optional(days),
})

const PatchRequest = Strict({
  ...common,
  /** What is done to the root disk while the machine is off; all packages are updated where it is left out. */
  customization: Type.Optional(GuestCustomization),
  /** The same by its name: `disk` of a customization of the fleet repository. */
  customizationName: Type.Optional(Label),
  keepDays: Type.Optional(days),
})

const SnapshotRequest = Strict({
  ...common,
  action: Type.Optional(Type.Union([Type.Literal('take'), Type.Literal('expire'), Type.Literal('list')])),
  snapshot: Type.Optional(SnapshotName),
  /** How long a snapshot is kept; until it is expired by name where it is left out. */
  keepDays: Type.Optional(days),
})

const RestoreRequest = Strict({ ...common, snapshot: SnapshotName, keepDays: Type.Optional(days) })

const CloneRequest = Strict({
  ...common,
  snapshot: SnapshotName,
  /** The new machine; what is left out is as the old one has it. */
  as: Strict({ name: Label, owner: Type.Optional(Owner) }),
})

const ResizeRequest = Strict({
  ...common,
  size: Type.Optional(Size),
  /** New sizes of disks, by name; `root` is the root disk. Disks only grow. */
  grow: Type.Optional(
    Type.Record(Type.String({ pattern: '^[a-z]([-a-z0-9]{0,18}[a-z0-9])?$' }), Quantity, {
      maxProperties: 17,
      additionalProperties: false,
      description: 'the name of a disk',
    }),
  ),
  add: Type.Optional(Type.Array(DataDisk, { maxItems: 16 })),
  detach: Type.Optional(diskNames()),
})

const PowerRequest = Strict({
  ...common,
  action: Type.Union([Type.Literal('start'), Type.Literal('stop'), Type.Literal('restart')]),
})

const MigrateRequest = Strict({ ...common })

export const GoldenImageRequest = Strict({
  ...general,
  namespace: Label,
  /** The image's name, one of its kind in the fleet. */
  image: ImageName,
  /** The ManagedCluster that it is made on. */
  cluster: Subdomain,
  source: ImageSource,
  size: Quantity,
  storageClass: Type.Optional(Subdomain),
  /** What is done to the disk before anybody uses it; nothing where neither is said. */
  customization: Type.Optional(GuestCustomization),
  /** The same by its name: `disk` of a customization of the fleet repository. */
  customizationName: Type.Optional(Label),
  /** Secrets that the customization or the push needs and that the cluster is to make from a store, for as long. */
  secrets: Type.Optional(Type.Array(MadeSecret, { maxItems: 16 })),
  push: Type.Optional(Push),
  publish: Type.Optional(Publish),
})

/** The schema of a request by its lifecycle. */
export const requests = {
  'golden-image': GoldenImageRequest,
  provision: ProvisionRequest,
  deprovision: DeprovisionRequest,
  repave: RepaveRequest,
  patch: PatchRequest,
  snapshot: SnapshotRequest,
  restore: RestoreRequest,
  clone: CloneRequest,
  resize: ResizeRequest,
  power: PowerRequest,
  migrate: MigrateRequest,
} as const satisfies Record<LifecycleName, unknown>

type Schemas = typeof requests
export type Requests = { [L in LifecycleName]: Static<Schemas[L]> }
/** A request of any lifecycle. */
export type Request = Requests[LifecycleName]
/** A request for a machine that there is. */
export type MachineRequest = Exclude<Request, Requests['provision'] | Requests['golden-image']>
/** A request for a golden image. */
export type ImageRequest = Requests['golden-image']
