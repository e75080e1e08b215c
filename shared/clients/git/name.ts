import { isUtf8 } from 'node:buffer'

/**
 * The name of an entry, from Git's bytes. Most are UTF-8 and stand as they are. Nobody makes them be: a byte that fits in no
 * character stands as U+DC80 to U+DCFF, which no character has (as in Python, PEP 383), so that each name is told from
 * the others and goes back as it came.
 */
export function nameOf(bytes: Buffer, start: number, end: number): string {
  const name = bytes.toString('utf8', start, end)
  return name.includes('\uFFFD') ? escaped(bytes.subarray(start, end)) : name
}

/** The bytes of a text that is made of names. */
export function bytesOf(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text)
  // Every second part is a byte of its own.
  const parts = text.split(/([\uDC80-\uDCFF])/u)
  return Buffer.concat(
    parts.map((part, index) => (index % 2 === 0 ? Buffer.from(part) : Buffer.of(part.charCodeAt(0) - 0xdc00))),
  )
}

/** Whether all that is no Unicode in a text are such bytes. */
export const isOfNames = (text: string): boolean =>
  text.isWellFormed() || text.replace(/[\uDC80-\uDCFF]/gu, '').isWellFormed()

function escaped(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString()
  let name = ''
  for (let at = 0; at < bytes.length; ) {
    const length = [1, 2, 3, 4].find((one) => at + one <= bytes.length && isUtf8(bytes.subarray(at, at + one)))
    name += length ? bytes.toString('utf8', at, at + length) : String.fromCharCode(0xdc00 + (bytes[at] ?? 0))
    at += length ?? 1
  }
  return name
}
