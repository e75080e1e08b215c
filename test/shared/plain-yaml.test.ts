import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { readPlain, writePlain } from '../../shared/plain-yaml.ts'
import { toAnyYaml } from '../../shared/yaml.ts'
import { starterFiles } from '../examples/starter.ts'

const key = fc.oneof(
  { weight: 300, arbitrary: fc.stringMatching(/^[a-z_][A-Za-z0-9./_-]{0,12}$/) },
  fc.constantFrom('yes', 'No', 'null', 'true', 'y', '__proto__', '1', '', 'a b', 'on', '=', '-', '.inf', 'a:b', '#a'),
)
const text = fc.oneof(
  { weight: 100, arbitrary: fc.string() },
  { weight: 50, arbitrary: fc.string({ unit: 'grapheme' }) },
  fc.constantFrom(
    'yes',
    '~',
    '',
    ' a',
    '- a',
    '# a',
    'a: b',
    '2030-01-01',
    '\u0085',
    '\u2028',
    '\ufeff',
    '\ud800',
    '\t',
    '\u0001secret\u0001',
    'a \u0001b\u0001 \\u0001 "c"',
    'a\n\u0001b\u0001',
  ),
  // What texts of several lines may be made of.
  {
    weight: 100,
    arbitrary: fc
      .array(
        fc.oneof(
          { weight: 100, arbitrary: fc.constantFrom('a', '  b', '#c', '', '- f', 'g: h', '---', '"', '\\', '...') },
          fc.constantFrom('d ', '\te', ' '),
        ),
        { maxLength: 6 },
      )
      .map((lines) => lines.join('\n')),
  },
)
const value = fc.letrec((tie) => ({
  node: fc.oneof(
    { maxDepth: 3 },
    { weight: 200, arbitrary: text },
    { weight: 50, arbitrary: fc.integer() },
    { weight: 50, arbitrary: fc.constantFrom(null, true, false, [], {}) },
    fc.oneof(fc.double(), fc.constantFrom(undefined, -0)),
    { weight: 100, arbitrary: fc.array(tie('node'), { maxLength: 4 }) },
    { weight: 100, arbitrary: fc.dictionary(key, tie('node'), { maxKeys: 4 }) },
  ),
})).node

/** Anything, as a step would write it: with fields that are undefined, and nothing else that JSON does not know. */
const document = fc.dictionary(key, value, { minKeys: 1, maxKeys: 4 })

describe('plain YAML', () => {
  it('is written to the byte as the library writes it', () => {
    let plain = 0
    fc.assert(
      fc.property(document, (given) => {
        const written = writePlain(given)
        if (written === undefined) return
        plain++
        expect(written).toBe(toAnyYaml(given))
        for (const version of ['1.1', '1.2'] as const)
          expect(parse(written, { version, merge: false })).toEqual(JSON.parse(JSON.stringify(given)))
      }),
      { numRuns: 800 },
    )
    expect(plain).toBeGreaterThan(0)
  })

  it('is read as the library reads it, also where somebody has changed it', () => {
    const edit = fc.record({
      at: fc.nat(200),
      gone: fc.nat(3),
      come: fc.constantFrom('', ' ', '\n', '#', '"', ':', '- ', 'a', '|', '&a', '1'),
    })
    let read = 0
    fc.assert(
      fc.property(document, fc.array(edit, { maxLength: 2 }), (given, edits) => {
        const changed = edits.reduce(
          (before, { at, gone, come }) => before.slice(0, at) + come + before.slice(at + gone),
          writePlain(given) ?? '',
        )
        const found = readPlain(changed)
        if (found === undefined) return
        read++
        expect(found).toEqual(parse(changed, { version: '1.1' }))
      }),
      { numRuns: 800 },
    )
    expect(read).toBeGreaterThan(0)
  })

  it.each([
    { list: [['a', ['b']], { c: 'd', e: [{ f: 'g' }] }, [], {}, null, 1, true] },
    { text: 'a\n\nb\n', rest: 'a\n b', last: ['x\ny\n', 'x\n\ny'] },
    { quoted: 'say "no" \\ é 漢', key: { 'app.kubernetes.io/name': 'x', 'cost-center': '1' } },
  ])('is read back: %j', (given) => {
    expect(readPlain(writePlain(given) ?? '')).toEqual(given)
  })

  it.each(['', 'a', 'a:', 'a: |', '- |', '- a: |', 'a: |-\n', '- ', 'a: "b', 'a: 1\na: 2\n', 'a: *b\n'])(
    'leaves %j to the library',
    (given) => {
      expect(readPlain(given)).toBeUndefined()
    },
  )

  it('leaves to the library what people write', () => {
    for (const [path, written] of Object.entries(starterFiles())) {
      const found = readPlain(written)
      if (found !== undefined) expect(found, path).toEqual(parse(written, { version: '1.1' }))
    }
  })
})
