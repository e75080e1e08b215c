import { type Static, Type } from 'typebox'
import { DataDisk, Guest, Image, LabelMap, Nic, Placement, RootDisk, Size, Variables } from './machine.ts'
import { Label, Line, NamePattern, Strict } from './parts.ts'

/** The fields of a machine that a template may let requests override. */
export const overridable = [
  'size',
  'rootDisk',
  'disks',
  'networks',
  'customizations',
  'variables',
  'placement',
  'labels',
] as const

/** `templates/<name>.yaml`: a predefined machine. */
export const Template = Strict({
  description: Line,
  guest: Guest,
  guestAgent: Type.Boolean(),
  image: Image,
  size: Size,
  rootDisk: RootDisk,
  disks: Type.Optional(Type.Array(DataDisk, { maxItems: 16 })),
  networks: Type.Array(Nic, { minItems: 1, maxItems: 8 }),
  customizations: Type.Optional(Type.Array(Label, { maxItems: 16 })),
  variables: Type.Optional(Variables),
  placement: Placement,
  labels: Type.Optional(LabelMap),
  namePattern: Type.Optional(NamePattern),
  maxNameLength: Type.Optional(Type.Integer({ minimum: 1, maximum: 63 })),
  overrides: Type.Array(Type.Enum([...overridable]), { uniqueItems: true }),
})

export type Template = Static<typeof Template>
