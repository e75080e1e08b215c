import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { listed, pathOf, show, summary } from '../../../shared/schema/show.ts'

describe('show', () => {
  it.each([
    ['text', 'text', '"text"'],
    ['an object', { a: [1] }, '{"a":[1]}'],
    ['nothing', undefined, 'undefined'],
    ['an escape sequence of a terminal', '\u001b[2J', '"\\u001b[2J"'],
    ['an invisible tag', '\u{e0041}', '"\\u{e0041}"'],
  ])('writes %s on one line', (_, value, text) => {
    expect(show(value)).toBe(text)
  })

  it('gives at most sixty well-formed characters for any JSON', { timeout: 30_000 }, () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 2, stringUnit: 'binary' }), (value) => {
        const text = show(value)
        expect(text.length).toBeLessThanOrEqual(60)
        expect(text.isWellFormed()).toBe(true)
        expect(text).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u)
      }),
    )
  })
})

describe('summary', () => {
  it('names the first twenty problems and counts the others', () => {
    const problems = Array.from({ length: 30 }, (_, index) => `problem ${index}`)
    expect(summary('Cannot', problems)).toBe(`Cannot: ${problems.slice(0, 20).join('; ')}; and 10 more`)
  })

  it('says each problem once', () => {
    expect(summary('Cannot', ['a', 'b', 'a'])).toBe('Cannot: a; b')
  })

  it('stays within two thousand characters', () => {
    const message = summary(
      'Cannot',
      Array.from({ length: 20 }, (_, index) => `${index} ${'x'.repeat(300)}`),
    )
    expect(message.length).toBeLessThanOrEqual(2000)
    expect(message).toMatch(/; and 14 more$/)
    expect(summary('Cannot', ['x'.repeat(3000)])).toHaveLength(2000)
  })
})

describe('pathOf', () => {
  it.each([
    [['disks', '0', 'size'], 'disks[0].size'],
    [['labels', 'example.com/tier'], 'labels["example.com/tier"]'],
    [[], ''],
  ])('writes %j as %s', (segments, path) => {
    expect(pathOf(segments)).toBe(path)
  })
})

describe('listed', () => {
  it.each([
    [[], 'none'],
    [['a'], '"a"'],
    [['a', 'b', 'c'], '"a", "b" and "c"'],
    [
      Array.from({ length: 12 }, (_, index) => `${index}`),
      '"0", "1", "2", "3", "4", "5", "6", "7", "8", "9" and 2 more',
    ],
  ])('writes %j as %s', (names, text) => {
    expect(listed(names)).toBe(text)
  })
})
