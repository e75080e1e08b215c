import { createHmac, timingSafeEqual } from 'node:crypto'
import canonicalize from 'canonicalize'
import type { Event } from './event.ts'

/**
 * Only `...requested` events come from outside; every other event was answered by one of our own functions, and the
 * Broker does not say by whom. So each function signs what it answers and refuses what is not signed.
 */

/** A key and the name under which a signature refers to it. The first key signs, all of them verify, so keys can rotate. */
export interface SigningKey {
  id: string
  secret: string
}

/** HMAC-SHA-256 over the JCS form (RFC 8785) of what makes an event what it is, as `<key id>.<base64url>`. */
export function sign(event: Event, keys: readonly SigningKey[]): string {
  const [key] = keys
  if (!key) throw new Error('Cannot sign an event: there is no signing key')
  return `${key.id}.${mac(event, key).toString('base64url')}`
}

/** True when one of our keys signed exactly this event. */
export function isSigned(event: Event, keys: readonly SigningKey[]): boolean {
  const [id, text] = (event.extensions['signature'] ?? '').split('.')
  const key = keys.find((one) => one.id === id)
  if (!key || !text) return false
  const expected = mac(event, key)
  const given = Buffer.from(text, 'base64url')
  return given.length === expected.length && timingSafeEqual(given, expected)
}

/**
 * What others may add to an event on its way, or a reader does without, is left out: its time, what caused it, a trace.
 * `correlationid` is in, for the answer goes to whom it names; and `hops`, for an event of too many ends its run.
 */
function mac({ type, source, id, subject, extensions, data }: Event, key: SigningKey): Buffer {
  const { runid = null, correlationid = null, hops = null } = extensions
  const form = canonicalize({ type, source, id, subject: subject ?? null, runid, correlationid, hops, data })
  return createHmac('sha256', key.secret)
    .update(form ?? '')
    .digest()
}
