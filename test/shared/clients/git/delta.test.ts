import fc from 'fast-check'
import { expect, it } from 'vitest'
import { deltaOf } from '../../../../shared/clients/git/delta.ts'

/** Does what a delta says, as git does. */
function applied(from: Buffer, delta: Buffer): Buffer {
  let at = 0
  const byte = () => delta[at++] ?? 0
  const length = () => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const one = byte()
      value += (one & 127) * 2 ** shift
      if (one < 128) return value
    }
  }
  expect(length()).toBe(from.length)
  const size = length()
  const parts: Buffer[] = []
  while (at < delta.length) {
    const bits = byte()
    if (bits < 128) {
      parts.push(delta.subarray(at, at + bits))
      at += bits
      continue
    }
    const numbers = Array.from({ length: 7 }, (_, place) => (bits & (1 << place) ? byte() : 0))
    const [start, long] = [numbers.slice(0, 4), numbers.slice(4)].map((some) =>
      some.reduceRight((sum, one) => sum * 256 + one, 0),
    )
    parts.push(from.subarray(start, (start ?? 0) + (long ?? 0)))
  }
  const made = Buffer.concat(parts)
  expect(made.length).toBe(size)
  return made
}

it('a delta makes the one of the other, whatever both are', () => {
  // Few letters, so that beginnings and ends are often the same.
  const bytes = fc.array(fc.constantFrom(0, 1, 255), { maxLength: 600 }).map((some) => Buffer.from(some))
  fc.assert(
    fc.property(bytes, bytes, (one, other) => {
      expect(applied(one, deltaOf(one, other)).equals(other)).toBe(true)
    }),
  )
})

it.each([
  ['a line in the middle of much', [70_000, 70_000]],
  ['a line at the begin of more than two bytes tell', [0, 200_000]],
  ['a line at the end', [300_000, 0]],
])('a delta of %s is short', (_, [before = 0, behind = 0]) => {
  const [head, tail] = [Buffer.alloc(before, 'a'), Buffer.alloc(behind, 'b')]
  const [one, other] = ['a line', 'another one'].map((line) => Buffer.concat([head, Buffer.from(line), tail]))
  const delta = deltaOf(one!, other!)
  expect(delta.length).toBeLessThan(80)
  expect(applied(one!, delta).equals(other!)).toBe(true)
})
