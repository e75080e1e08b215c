import { type Static, Type } from 'typebox'
import { Label, Line, Quantity, Strict, Subdomain } from './parts.ts'

/** `kept/<cluster>/<namespace>/<disk>.yaml`: a data disk that outlived its machine, with all that another one needs to take it. */
export const KeptDisk = Strict({
  disk: Subdomain,
  cluster: Subdomain,
  namespace: Label,
  /** Whose it was, and the run that took that away. */
  machine: Label,
  run: Line,
  since: Line,
  size: Quantity,
  made: Type.Optional(Quantity),
  snapshot: Type.Optional(Subdomain),
  storageClass: Type.Optional(Subdomain),
  /** The uid of its claim as it was seen last. */
  uid: Type.Optional(Line),
})

export type KeptDisk = Static<typeof KeptDisk>
