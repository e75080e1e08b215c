import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Event } from './event.ts'
import { sentAs, signedForm, textOf } from './event-data.ts'

/**
 * Only `...requested` events come from outside; every other event was answered by one of our own functions, and the
 * Broker does not say by whom. So each function signs what it answers and refuses what is not signed.
 */

/** A key and the name under which a signature refers to it. The first key signs, all of them verify, so keys can rotate. */
export interface SigningKey {
  id: string
  secret: string
}

/**
 * HMAC-SHA-256 over the JCS form (RFC 8785) of what makes an event what it is, as `<key id>.<base64url>`. The event is to be
 * sent as `writeEvent` writes it: its data is in that form then.
 */
export function sign(event: Event, keys: readonly SigningKey[]): string {
  const [key] = keys
  if (!key) throw new Error('Cannot sign an event: there is no signing key')
  return `${key.id}.${mac(event, sentAs(event.data), key).toString('base64url')}`
}

/** True when one of our keys signed exactly this event. */
export function isSigned(event: Event, keys: readonly SigningKey[]): boolean {
  const [id, text] = (event.extensions['signature'] ?? '').split('.')
  const key = keys.find((one) => one.id === id)
  if (!key || !text) return false
  const given = Buffer.from(text, 'base64url')
  const isOf = (data: string | undefined) => {
    const expected = mac(event, data, key)
    return given.length === expected.length && timingSafeEqual(given, expected)
  }
  // Most Brokers hand the data on byte for byte. One that writes it anew may write it in another way.
  const asItCame = textOf(event.data)
  return (asItCame !== undefined && isOf(asItCame)) || isOf(signedForm(event.data))
}

/**
 * What others may add to an event on its way, or a reader does without, is left out: its time, what caused it, a trace.
 * `correlationid` is in, for the answer goes to whom it names; and `hops`, for an event of too many ends its run. Fields in
 * JCS stand in the order of their names, and texts in it are as JSON has them.
 */
function mac({ type, source, id, subject, extensions }: Event, data: string | undefined, key: SigningKey): Buffer {
  const { runid = null, correlationid = null, hops = null } = extensions
  const before = JSON.stringify({ correlationid }).slice(0, -1)
  const after = JSON.stringify({ hops, id, runid, source, subject: subject ?? null, type }).slice(1)
  return createHmac('sha256', key.secret)
    .update(`${before},${data === undefined ? '' : `"data":${data},`}${after}`)
    .digest()
}
