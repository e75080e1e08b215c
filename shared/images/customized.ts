import { type Static, Type } from 'typebox'
import { check } from '../schema/check.ts'
import { Strict } from '../schema/parts.ts'
import { parsed } from './termination-message.ts'

/** What changed in a guest: how many packages it had, how many changed, and which, such as "curl 8.1 -> 8.2". */
export const PackageReport = Strict({
  before: Type.Integer({ minimum: 0 }),
  changes: Type.Integer({ minimum: 0 }),
  changed: Type.Array(Type.String({ maxLength: 512 }), { maxItems: 512 }),
  /** True when `changed` has not all of them: a termination message is short. */
  truncated: Type.Boolean(),
})

const Message = Type.Union([PackageReport, Strict({ reason: Type.String({ maxLength: 1024 }) })])

export type PackageReport = Static<typeof PackageReport>

/** How the customization of a disk ended. */
export type Customized = { done: true; packages: PackageReport } | { done: false; reason: string }

/** Reads the termination message of a customization's container; one that is not ours, as after a kill, is a failure. */
export function toCustomized(message: string): Customized {
  const checked = check(Message, parsed(message), 'the message')
  if (!checked.ok) return { done: false, reason: 'the pod ended without saying why' }
  const { value } = checked
  return 'reason' in value ? { done: false, reason: value.reason } : { done: true, packages: value }
}
