import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { parseYaml, toYaml } from '../../shared/yaml.ts'

describe('YAML is written', () => {
  it.each([
    'yes',
    'no',
    'on',
    '0o14',
    '014',
    '1:30',
    '1_000',
    '2030-01-01',
    '~',
    'null',
    '',
    ' x ',
    '# x',
    '=',
    '<<',
    '1e3',
  ])('so that "%s" stays text for readers of 1.1 and of 1.2', (text) => {
    const written = toYaml({ value: text, list: [text] })
    for (const version of ['1.1', '1.2'] as const)
      expect(parse(written, { version, merge: false })).toEqual({ value: text, list: [text] })
  })

  it('with texts of several lines as blocks that people can read', () => {
    expect(toYaml({ userData: '#cloud-config\nruncmd:\n  - echo hi\n' })).toBe(
      'userData: |\n  #cloud-config\n  runcmd:\n    - echo hi\n',
    )
  })

  it.each([
    'a\n\n',
    'a\nb',
    ' a\nb\n',
    'a\r\nb\r\n',
    'a \nb\n',
    '\n',
    'a\n\tb\n',
    'a\u0085b\n',
    'a\u2028b\n',
    'a\u0000\nb',
  ])('so that %j is read back as it was', (text) => {
    expect(parseYaml(toYaml({ text }))).toEqual({ text })
  })

  it('so that anything JSON says is read back as it was', () => {
    const key = fc.stringMatching(/^[a-z][a-z0-9./_-]{0,12}$/)
    const value = fc.letrec((tie) => ({
      node: fc.oneof(
        { maxDepth: 3 },
        fc.string(),
        fc.string().map((text) => `${text}\n${text}`),
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('node'), { maxLength: 4 }),
        fc.dictionary(key, tie('node'), { maxKeys: 4 }),
      ),
    })).node
    fc.assert(
      fc.property(value, (given) => {
        const wrapped = { given: JSON.parse(JSON.stringify(given)) }
        expect(parseYaml(toYaml(wrapped))).toEqual(wrapped)
      }),
      { numRuns: 200 },
    )
  })

  it('without anchors, however often a value is used', () => {
    const shared = { a: 'x' }
    expect(toYaml({ one: shared, other: shared })).not.toMatch(/[&*]/)
  })
})

describe('YAML is refused', () => {
  it.each([
    ['a: [1', 'Cannot read policy/x.yaml: '],
    ['a: 1\na: 2\n', 'Cannot read policy/x.yaml: '],
    ['a: 1\n---\nb: 2\n', 'Cannot read policy/x.yaml: it holds several documents, wanted one'],
    ['a: &x [1]\nb: *x\n', 'Cannot read policy/x.yaml: '],
    ['a: *nobody\n', 'Cannot read policy/x.yaml: '],
    ['a: !secret x\n', 'Cannot read policy/x.yaml: Unresolved tag: !secret at line 1, column 4'],
    ['%EVIL x\n---\na: 1\n', 'Cannot read policy/x.yaml: Unknown directive %EVIL at line 1, column 1'],
  ])('%j with a sentence', (text, sentence) => {
    expect(() => parseYaml(text, 'policy/x.yaml')).toThrow(
      expect.objectContaining({ reason: 'refused', message: expect.stringContaining(sentence) }),
    )
  })

  it('not when it is empty', () => {
    expect(parseYaml('')).toBeFalsy()
    expect(parseYaml('# nothing\n')).toBeFalsy()
  })
})
