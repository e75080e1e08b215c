import { describe, expect, it } from 'vitest'
import { validate } from '../../functions/validate/validate.ts'
import { mostBytes } from '../../shared/file-size.ts'
import { readPool } from '../../shared/ipam/pool.ts'
import { check } from '../../shared/schema/check.ts'
import { Customization } from '../../shared/schema/fleet-files.ts'
import { readChecked } from '../../shared/schema/read.ts'
import { parseYaml } from '../../shared/yaml.ts'
import { asked, smallRequest, starterFiles } from '../examples/starter.ts'
import { memoryFleet } from '../fleet.ts'
import { isSentence } from './fuzz.ts'

/** Files of the fleet that are small and want to be large, or that are read in another way than they look. */

const bomb = (levels: number) =>
  [
    'a0: &a0 [x, x, x, x, x, x, x, x, x]',
    ...Array.from({ length: levels }, (_, n) => `a${n + 1}: &a${n + 1} [${Array(9).fill(`*a${n}`).join(', ')}]`),
  ].join('\n')

/** A customization with this in its user-data, which may be anything: only how it is written can be amiss. */
const beginning = 'description: x\nguest: linux\nuserData:\n'
const inside = (text: string) => `${beginning}${text.replace(/^(?=.)/gm, '  ')}\n`

const files: [what: string, text: string, reason: string][] = [
  ['a bomb of aliases', inside(bomb(9)), 'Alias resolution is disabled'],
  ['one alias', inside('a: &x 1\nb: *x'), 'Alias resolution is disabled'],
  ['an alias of itself', inside('a: &x [*x]'), 'Alias resolution is disabled'],
  ['an alias as a key', inside('&x a: 1\n*x : 2'), 'Alias resolution is disabled'],
  ['a merge key', inside('a: &x { b: 1 }\nc: { <<: *x }'), 'Alias resolution is disabled'],
  ['an alias of nothing', inside('a: *nothing'), 'Alias resolution is disabled'],
  ['several documents', `${inside('a: 1')}---\nb: 2`, 'it holds several documents, wanted one'],
  ['a field twice', inside('a: 1\na: 2'), 'it has "a" twice in one place'],
  ['a field twice in two ways', inside('a: { 1: x, "1": y }'), 'it has "1" twice in one place'],
  [
    'a tag that makes code',
    inside('a: !!js/function "function () { return 1 }"'),
    'Unresolved tag: tag:yaml.org,2002:js/function',
  ],
  [
    'a tag of Python',
    inside('a: !!python/object/apply:os.system ["id"]'),
    'Unresolved tag: tag:yaml.org,2002:python/object/apply',
  ],
  ['a tag of its own', inside('a: !evil {}'), 'Unresolved tag: !evil'],
  ['a tag of its own for a text', inside('a: !evil x'), 'Unresolved tag: !evil'],
  ['a known tag for what it is not', inside('a: !!omap { b: 1 }'), 'Unresolved tag: tag:yaml.org,2002:omap'],
  [
    'a directive',
    `%TAG ! tag:evil.example.com,2000:\n---\n${inside('a: !x 1')}`,
    'Unresolved tag: tag:evil.example.com,2000:x',
  ],
  ['a directive of its own', `%EVIL x\n---\n${inside('a: 1')}`, 'Unknown directive %EVIL'],
  ['a binary', inside('a: !!binary aGVsbG8='), 'userData.a is a uint8array, wanted text in quotes'],
  ['a date', inside('a: 2030-01-01'), 'userData.a is a date, wanted text in quotes'],
  ['a set', inside('a: !!set { b, c }'), 'userData.a is a set, wanted text in quotes'],
  ['an ordered map', inside('a: !!omap [b: 1]'), 'userData.a is a map, wanted text in quotes'],
  ['a number beyond all', inside('a: .inf'), 'userData.a is Infinity, wanted a number'],
  ['no number', inside('a: .nan'), 'userData.a is NaN, wanted a number'],
  ['a tab for a blank', inside('a:\n\t- b'), 'Tabs are not allowed as indentation'],
  ['a null character', `${inside('a: "\u0000"')}\u0000`, 'Implicit map keys need to be followed by map values'],
  ['nothing', '', 'the file is undefined, wanted {description, guest,'],
  ['text', 'hello', 'the file is "hello", wanted {description, guest,'],
  ['a list', '- a', 'the file is ["a"], wanted {description, guest,'],
  ['lists in lists', inside(`a: ${'['.repeat(300)}${']'.repeat(300)}`), 'nested deeper than 32 levels'],
  ['lists in lists without end', inside(`a: ${'['.repeat(3_000)}${']'.repeat(3_000)}`), 'Cannot read the file: '],
  [
    'maps in maps',
    inside(Array.from({ length: 400 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n')),
    'nested deeper than 32 levels',
  ],
  ['braces that never end', inside(`a: ${'{'.repeat(5_000)}`), 'Cannot read the file: '],
  ['quotes that never end', inside(`a: "${'\\'.repeat(50_001)}`), 'Cannot read the file: Missing closing "quote'],
  [
    'thousands of fields',
    inside(Array.from({ length: 25_000 }, (_, n) => `a${n}: 1`).join('\n')),
    'the file has more than 20000 values',
  ],
  [
    'lists beside lists',
    inside(`a: [${'[],'.repeat(600_000)}]`),
    'Cannot read the file: it has more than 250000 words and signs',
  ],
  ['lines beside lines', inside(`a:\n${'- \n'.repeat(400_000)}`), 'it has more than 250000 words and signs'],
  [
    'larger than any',
    inside(`a: ${'x'.repeat(mostBytes)}`),
    `Cannot read customizations/x.yaml: it is ${mostBytes + inside('a: ').length} bytes long, wanted at most ${mostBytes}`,
  ],
  ['larger than any in bytes alone', inside(`a: ${'ü'.repeat(mostBytes / 2)}`), 'bytes long, wanted at most'],
]

const read = async (text: string) => {
  const path = 'customizations/x.yaml'
  return readChecked(await memoryFleet({ [path]: text }).head(), path, Customization)
}

describe('a customization that is', () => {
  it.each(files)('%s is refused in a sentence', async (_, text, reason) => {
    const begun = process.threadCpuUsage()
    const checked = await read(text)
    const { user, system } = process.threadCpuUsage(begun)
    expect(user + system, 'microseconds').toBeLessThan(2_000_000)
    expect(checked).toMatchObject({ ok: false })
    const problems = checked && !checked.ok ? checked.problems : []
    expect(problems).toEqual([expect.stringContaining(reason)])
    expect(problems.filter((problem) => !isSentence(problem))).toEqual([])
  })

  it('plain, with tags that say what it is anyway, is taken', async () => {
    expect(await read(inside('a: { b: [x, 1, yes] }\nc: !!str 2030-01-01\nd: !!map {}'))).toMatchObject({
      ok: true,
      value: { userData: { a: { b: ['x', 1, true] }, c: '2030-01-01', d: {} } },
    })
  })
})

describe('a YAML file', () => {
  it('is never larger than its text for what it repeats', () => {
    expect(() => parseYaml(bomb(9))).toThrow(/alias/i)
    expect(() => parseYaml('a: &x {}\nb: *x')).toThrow(/alias/i)
  })

  it('with an anchor that nobody uses is what it says', () => {
    expect(parseYaml('a: &x 1')).toEqual({ a: 1 })
  })

  it('in which YAML 1.1 would read another value than was written is read as the clusters read it', () => {
    expect(parseYaml('a: yes\nb: 0o14\nc: 1_000\nd: "yes"')).toEqual({ a: true, b: '0o14', c: 1000, d: 'yes' })
  })

  it('of numbers and dates in the place of texts is refused, not taken for text', () => {
    for (const value of ['2030-01-01', '1e309', '.nan'])
      expect(check(Customization, parseYaml(`description: ${value}\nguest: linux`), 'the file')).toMatchObject({
        ok: false,
      })
  })
})

describe('a file of many MB', () => {
  const large = `description: "${'x'.repeat(3 * mostBytes)}"\n`

  it.each(['policy/x.yaml', 'templates/linux-small.yaml'])('%s has each request refused, by its name', async (path) => {
    const fleet = memoryFleet({ ...starterFiles(), [path]: large })
    expect(await validate(asked(smallRequest(), { lifecycle: 'provision' }), fleet)).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining(`Cannot read ${path}: it is ${large.length} bytes long`),
    })
  })

  it('is no network, which says so', async () => {
    const tree = await memoryFleet({ 'ipam/servers/network.yaml': large }).head()
    expect(await readPool(tree, 'servers')).toEqual({
      problems: [expect.stringContaining('Cannot read ipam/servers/network.yaml: it is ')],
    })
  })

  it('is refused by the parser too, whoever has read it', () => {
    expect(() => parseYaml(large, 'the file')).toThrow(`Cannot read the file: it is ${large.length} bytes long`)
  })
})
