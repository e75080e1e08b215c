import { describe, expect, it } from 'vitest'
import { check } from '../../shared/schema/check.ts'
import { Customization } from '../../shared/schema/fleet-files.ts'
import { readChecked } from '../../shared/schema/read.ts'
import { parseYaml } from '../../shared/yaml.ts'
import { memoryFleet } from '../fleet.ts'
import { isSentence } from './fuzz.ts'

/** Files of the fleet that are small and want to be large, or that are read in another way than they look. */

const bomb = (levels: number) =>
  [
    'a0: &a0 [x, x, x, x, x, x, x, x, x]',
    ...Array.from({ length: levels }, (_, n) => `a${n + 1}: &a${n + 1} [${Array(9).fill(`*a${n}`).join(', ')}]`),
  ].join('\n')

const files: [string, string][] = [
  ['a bomb of aliases', bomb(9)],
  ['one alias', 'a: &x 1\nb: *x'],
  ['an alias of itself', 'a: &x [*x]'],
  ['an alias as a key', '&x a: 1\n*x : 2'],
  ['a merge key', 'a: &x { b: 1 }\nc: { <<: *x }'],
  ['an alias of nothing', 'a: *nothing'],
  ['several documents', 'a: 1\n---\nb: 2'],
  ['a field twice', 'a: 1\na: 2'],
  ['a field twice in two ways', 'a: { 1: x, "1": y }'],
  ['a tag that makes code', 'a: !!js/function "function () { return 1 }"'],
  ['a tag of Python', 'a: !!python/object/apply:os.system ["id"]'],
  ['a tag of its own', 'a: !evil {}'],
  ['a directive', '%TAG ! tag:evil.example.com,2000:\n---\na: !x 1'],
  ['a binary', 'a: !!binary aGVsbG8='],
  ['a date', 'a: 2030-01-01'],
  ['a set', 'a: !!set { b, c }'],
  ['an ordered map', 'a: !!omap [b: 1]'],
  ['a number beyond all', 'a: .inf'],
  ['no number', 'a: .nan'],
  ['a tab for a blank', 'a:\n\t- b'],
  ['a null character', 'a: "\u0000"\n\u0000'],
  ['nothing', ''],
  ['text', 'hello'],
  ['a list', '- a'],
  ['lists in lists', `${'['.repeat(3_000)}${']'.repeat(3_000)}`],
  ['maps in maps', Array.from({ length: 400 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n')],
  ['braces that never end', '{'.repeat(5_000)],
  ['quotes that never end', `a: "${'\\'.repeat(50_001)}`],
  ['thousands of fields', Array.from({ length: 25_000 }, (_, n) => `a${n}: 1`).join('\n')],
]

describe('a customization that is', () => {
  it.each(files)('%s is refused in a sentence', async (_, text) => {
    const path = 'customizations/x.yaml'
    const tree = await memoryFleet({ [path]: text }).head()
    const begun = process.threadCpuUsage()
    const read = await readChecked(tree, path, Customization)
    const { user, system } = process.threadCpuUsage(begun)
    expect(user + system, 'microseconds').toBeLessThan(2_000_000)
    expect(read).toMatchObject({ ok: false })
    const problems = read && !read.ok ? read.problems : []
    expect(problems.length).toBeGreaterThan(0)
    expect(problems.filter((problem) => !isSentence(problem))).toEqual([])
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
