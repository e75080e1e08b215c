import { expect, it } from 'vitest'
import { toMachine } from '../../shared/join.ts'
import { violations } from '../../shared/policy.ts'
import type { Subject } from '../../shared/policy-rules.ts'
import type { Template } from '../../shared/schema/template.ts'
import { parseYaml } from '../../shared/yaml.ts'
import { smallRequest, starterFiles } from '../examples/starter.ts'

const template = parseYaml(starterFiles()['templates/linux-small.yaml'] ?? '') as Template
const request = smallRequest()

/** What a pattern says of a name. */
function said(pattern: string, name: string): string[] {
  const subject: Subject = { request, ...toMachine(template, request), name }
  return violations([{ description: 'names', rules: { names: { pattern, wanted: 'a fitting name' } } }], subject)
}

const longest = 'a'.repeat(63)
const unfit = (name: string) =>
  `name is "${name.slice(0, 58)}${name.length > 58 ? '…' : '"'}, wanted a fitting name (policy: names)`

it.each<[string, string, string, string[]]>([
  ['that a name fits', '^[a-z][a-z0-9]*(-[a-z0-9]+)*$', 'web-01', []],
  ['that a name does not fit', '^web-', 'db-01', [unfit('db-01')]],
  ['that is found in the middle', '-0[0-9]', 'web-01-x', []],
  ['that V8 would try for years, on a name that does not fit', '^(([a-z])+.)+[A-Z]$', longest, [unfit(longest)]],
  ['that V8 would try for years, on one that fits', '^(a?){63}a{63}$', longest, []],
  [
    'that is none',
    '(',
    'web-01',
    ['rules.names.pattern is "(", wanted a regular expression as RE2 takes it: missing closing ): `(` (policy: names)'],
  ],
  [
    'that needs to look around',
    '^(?!prod)',
    'web-01',
    [
      'rules.names.pattern is "^(?!prod)", wanted a regular expression as RE2 takes it: invalid or unsupported Perl syntax: `(?!` (policy: names)',
    ],
  ],
])('a pattern %s is answered for what it is', (_, pattern, name, sentences) => {
  expect(said(pattern, name)).toEqual(sentences)
})
