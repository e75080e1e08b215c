import { type Static, Type } from 'typebox'
import { oneLine } from '../one-line.ts'
import { check } from '../schema/check.ts'
import { Strict } from '../schema/parts.ts'
import { parsed } from './termination-message.ts'

const Digest = Strict({
  digest: Type.String({ pattern: '^sha256:[0-9a-f]{64}$' }),
  size: Type.Integer({ minimum: 0 }),
})

/** How a push ended. */
export type Pushed = ({ done: true } & Static<typeof Digest>) | { done: false; reason: string }

/** Reads the termination message of a push: what it was given, or a sentence, which has no secret in it. */
export function toPushed(message: string): Pushed {
  const checked = check(Digest, parsed(message), 'the message')
  if (checked.ok) return { done: true, ...checked.value }
  const reason = oneLine(message, 1024)
  return { done: false, reason: reason === '' ? 'the pod ended without saying why' : reason }
}
