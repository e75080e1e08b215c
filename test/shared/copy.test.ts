import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { copyOf } from '../../shared/copy.ts'

describe('a copy', () => {
  it('is what was copied, and nothing of it', () => {
    const value = fc.object({ withDate: true, key: fc.oneof(fc.string(), fc.constant('__proto__')) })
    fc.assert(
      fc.property(value, (original) => {
        const copy = copyOf(original)
        expect(copy).toEqual(structuredClone(original))
        expect(shared(original, copy)).toBe(0)
      }),
    )
  })
})

/** How many objects of one are objects of the other, too. */
function shared(one: unknown, other: unknown): number {
  const ofOne = objectsIn(one)
  return [...objectsIn(other)].filter((object) => ofOne.has(object)).length
}

function objectsIn(value: unknown, found = new Set<object>()): Set<object> {
  if (typeof value !== 'object' || value === null) return found
  found.add(value)
  for (const inner of Object.values(value)) objectsIn(inner, found)
  return found
}
