import { describe, expect, it } from 'vitest'
import { candidate, describe as inWords, namingOf, namingProblems } from '../../shared/names.ts'
import type { Template } from '../../shared/schema/template.ts'
import { smallRequest } from '../examples/starter.ts'

const template = (change: Partial<Template> = {}): Template => ({
  description: 'one',
  guest: 'linux',
  guestAgent: true,
  image: { dataSource: 'rhel9', namespace: 'images' },
  size: { instancetype: 'u1.small' },
  rootDisk: { size: '30Gi' },
  networks: [{ network: 'servers' }],
  placement: {},
  overrides: [],
  ...change,
})
const named = (change: object, number = 1) => {
  const naming = namingOf({ ...smallRequest(), ...change }, template())
  return naming && candidate(naming, number)
}

describe('candidate', () => {
  it.each([
    ['{environment}-{application}-{number:3}', 1, 'prod-shop-001'],
    ['{environment}-{application}-{number:3}', 42, 'prod-shop-042'],
    ['{environment}-{application}-{number:3}', 999, 'prod-shop-999'],
    ['{environment}-{application}-{number:3}', 1000, undefined],
    ['{namespace}-{template}-{number}', 7, 'shop-linux-small-7'],
    ['{namespace}-{template}-{number}', 12345, 'shop-linux-small-12345'],
    ['{number:2}-{number:1}', 9, '09-9'],
    ['{number:2}-{number:1}', 10, undefined],
    ['fixed', 1, 'fixed'],
    ['fixed', 2, undefined],
  ])('gives for %s at %i the name %s', (namePattern, number, name) => {
    expect(named({ namePattern }, number)).toBe(name)
  })

  it('gives the asked name once', () => {
    expect(named({ name: 'web-1' })).toBe('web-1')
    expect(named({ name: 'web-1' }, 2)).toBeUndefined()
  })

  it('stops where a growing number no longer fits', () => {
    const naming = namingOf({ ...smallRequest(), namePattern: 'web{number}' }, template({ maxNameLength: 4 }))
    expect(naming && [candidate(naming, 9), candidate(naming, 10)]).toEqual(['web9', undefined])
  })
})

describe('namingProblems', () => {
  it.each<[string, object, Partial<Template>, string]>([
    ['both', { name: 'a', namePattern: 'b' }, {}, 'name and namePattern are both there, wanted one of them'],
    ['neither', {}, {}, 'name is missing, wanted name or namePattern: template "linux-small" has no pattern'],
    [
      'a strange placeholder',
      { namePattern: '{color}' },
      {},
      'namePattern has {color}, wanted {environment}, {application}, {namespace}, {template} or {number:3}',
    ],
    [
      'a width for a word',
      { namePattern: '{environment:3}' },
      {},
      'namePattern has {environment:3}, wanted {environment}: only a number has a width',
    ],
    [
      'a word without value',
      { namePattern: '{application}', application: undefined },
      {},
      'application is missing, wanted a value for namePattern "{application}"',
    ],
    [
      'a hyphen at the end',
      { namePattern: '{application}-' },
      {},
      'namePattern "{application}-" gives "shop-", wanted it to begin and end with a letter or digit',
    ],
    [
      'too long a pattern',
      { namePattern: '{environment}-{application}-{number:3}' },
      { maxNameLength: 12 },
      'gives "prod-shop-001" of 13 characters, wanted at most 12',
    ],
    [
      'too long a name for Windows',
      { name: 'a-very-long-name' },
      { guest: 'windows' },
      'name has 16 characters, wanted at most 15',
    ],
  ])('refuses %s', (_, request, change, sentence) => {
    const problems = namingProblems({ ...smallRequest(), ...request }, template(change))
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain(sentence)
  })

  it("takes the template's pattern when the request has none", () => {
    expect(namingProblems(smallRequest(), template({ namePattern: 'web-{number}' }))).toEqual([])
  })
})

describe('describe', () => {
  it('shows a number as a star', () => {
    const naming = namingOf({ ...smallRequest(), namePattern: '{environment}-{number:3}' }, template())
    expect(naming && inWords(naming)).toBe('prod-*')
  })
})
