import { type Static, Type } from 'typebox'
import { DataDisk, LabelMap, Nic, Owner, Placement, RootDisk, Size, Variables } from './machine.ts'
import { HttpsUrl, Label, LabelValue, Line, NamePattern, Strict, Subdomain } from './parts.ts'

/** The data of `dev.drover.provision.requested`: what a requester may ask for. */
export const ProvisionRequest = Strict({
  template: Label,
  namespace: Label,
  owner: Owner,
  requester: Type.Optional(Line),
  name: Type.Optional(Label),
  namePattern: Type.Optional(NamePattern),
  environment: Type.Optional(Label),
  application: Type.Optional(Label),
  labels: Type.Optional(LabelMap),
  size: Type.Optional(Size),
  rootDisk: Type.Optional(RootDisk),
  disks: Type.Optional(Type.Array(DataDisk, { maxItems: 16 })),
  /** Data disks that outlived their machines, each under the name that it has in this one; they pin the cluster. */
  attach: Type.Optional(
    Type.Array(Strict({ name: Type.Index(DataDisk, ['name']), disk: Subdomain }), { maxItems: 16 }),
  ),
  networks: Type.Optional(Type.Array(Nic, { minItems: 1, maxItems: 8 })),
  customizations: Type.Optional(Type.Array(Label, { maxItems: 16, uniqueItems: true })),
  variables: Type.Optional(Variables),
  placement: Type.Optional(Placement),
  callback: Type.Optional(Strict({ url: HttpsUrl })),
  deadlineMinutes: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 1440, description: 'a whole number of minutes from 1 to 1440' }),
  ),
  ticket: Type.Optional(LabelValue),
  /** Says what would be done, and changes nothing. */
  plan: Type.Optional(Type.Boolean()),
})

export type ProvisionRequest = Static<typeof ProvisionRequest>
