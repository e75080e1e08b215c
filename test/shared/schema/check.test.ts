import { describe, expect, it } from 'vitest'
import { check } from '../../../shared/schema/check.ts'
import { Customization } from '../../../shared/schema/fleet-files.ts'
import { ProvisionRequest } from '../../../shared/schema/provision-request.ts'
import { Template } from '../../../shared/schema/template.ts'
import { parseYaml } from '../../../shared/yaml.ts'
import { smallRequest } from '../../examples/starter.ts'

const problemsOf = (value: unknown) => {
  const checked = check(ProvisionRequest, value, 'the request')
  return checked.ok ? [] : checked.problems
}
const with_ = (change: object) => ({ ...smallRequest(), ...change })
const label = 'up to 63 lower-case letters, digits and "-", beginning and ending with a letter or digit'

describe('check', () => {
  it('takes a request that is right', () => {
    expect(problemsOf(smallRequest())).toEqual([])
  })

  it.each<[string, unknown, string[]]>([
    ['null', null, ['the request is null, wanted {template, namespace, owner, requester?, name?']],
    ['a list', [], ['the request is [], wanted {template']],
    ['text', 'hello', ['the request is "hello", wanted {template']],
    ['nothing at all', undefined, ['the request is undefined, wanted {template']],
    [
      'no field',
      {},
      [`template is missing, wanted ${label}`, `namespace is missing`, 'owner is missing, wanted {kind, name}'],
    ],
    [
      'a wrong unit',
      with_({ size: { cores: 2, memory: '4GB' } }),
      ['size.memory is "4GB", wanted a size such as "512Mi", "40Gi" or "2Ti"'],
    ],
    ['a number for text', with_({ namespace: 7 }), [`namespace is 7, wanted ${label}`]],
    [
      'a fraction',
      with_({ deadlineMinutes: 1.5 }),
      ['deadlineMinutes is 1.5, wanted a whole number of minutes from 1 to 1440'],
    ],
    ['a misspelt field', with_({ tempalte: 'x' }), ['tempalte is not a known field: did you mean "template"?']],
    ['a strange field', with_({ xyz: 1 }), ['xyz is not a known field: known are "template", "namespace", "owner"']],
    [
      'a misspelt field within',
      with_({ owner: { kind: 'User', name: 'a', nmae: 'b' } }),
      ['owner.nmae is not a known field: did you mean "name"?'],
    ],
    [
      'a wrong choice',
      with_({ owner: { kind: 'Robot', name: 'a' } }),
      ['owner.kind is "Robot", wanted "User" or "Group"'],
    ],
    [
      'two alternatives',
      with_({ size: { instancetype: 'u1.small', cores: 2 } }),
      ['wanted either {instancetype, preference?} or {cores, memory, preference?}'],
    ],
    ['neither alternative', with_({ size: 'big' }), ['size is "big", wanted either {instancetype, preference?} or']],
    [
      'the meant alternative',
      with_({ placement: { predicates: [{ label: {} }] } }),
      ['placement.predicates[0].label is not a known field: did you mean "labels"?'],
    ],
    [
      'a fault deep in a list',
      with_({ networks: [{ network: 'a' }, { network: 'b', addresses: ['x'] }] }),
      ['networks[1].addresses[0] is "x", wanted an IP address such as'],
    ],
    [
      'a doubled entry',
      with_({ customizations: ['a', 'b', 'a'] }),
      ['customizations names "a" twice, wanted each one once'],
    ],
    [
      'too many entries',
      with_({ disks: Array.from({ length: 17 }, () => ({ name: 'a', size: '1Gi' })) }),
      ['disks has 17 entries, wanted at most 16'],
    ],
    ['no entry', with_({ networks: [] }), ['networks has 0 entries, wanted at least 1']],
    ['a bad key', with_({ labels: { 'a b': 'c' } }), ['labels has the key "a b", wanted a label key such as "tier"']],
    [
      'a bad variable',
      with_({ variables: { Name: 'x' } }),
      ['variables has the key "Name", wanted the name of a variable'],
    ],
    ['a name too long', with_({ name: 'a'.repeat(64) }), [`…, wanted ${label}`]],
  ])('says what is wrong with %s', (_, value, sentences) => {
    const problems = problemsOf(value)
    expect(problems).toHaveLength(sentences.length)
    for (const [index, sentence] of sentences.entries()) expect(problems[index]).toContain(sentence)
  })

  it.each(['tier', 'example.com/tier', 'a/b', 'a-1.b--c.d/X_y.z', `${'a'.repeat(253)}/${'b'.repeat(63)}`])(
    'takes the label key %s',
    (key) => {
      expect(problemsOf(with_({ labels: { [key]: 'web' } }))).toEqual([])
    },
  )

  it.each([
    ...['a..b/tier', '.a/tier', 'a./tier', 'a.-b/tier', 'a-.b/tier', '-a/tier', 'A/tier', 'a_b/tier'],
    ...['/tier', 'a/', 'a/b/c', `${'a'.repeat(254)}/tier`, `a/${'b'.repeat(64)}`],
  ])('refuses the label key %s, which Kubernetes does not take', (key) => {
    expect(problemsOf(with_({ labels: { [key]: 'web' } }))).toEqual([expect.stringContaining('wanted a label key')])
  })

  it.each([
    ['a newline', 'shop\nevil: true'],
    ['shell text', '$(rm -rf /)'],
    ['a path', '../../etc/passwd'],
    ['markup', '<script>'],
    ['a null byte', 'shop\u0000'],
    ['a template', '{{ .secret }}'],
    ['capital letters', 'Shop'],
    ['no letter', ''],
  ])('refuses %s as a name and shows it on one line', (_, name) => {
    const [problem] = problemsOf(with_({ name }))
    expect(problem).toBe(`name is ${JSON.stringify(name)}, wanted ${label}`)
  })

  it.each([
    ['a Cyrillic letter', 'shоp', 'U+043E'],
    ['a full-width letter', 'shopａ', 'U+FF41'],
    ['a letter beyond the first plane', 'shop𝐚', 'U+1D41A'],
  ])('names %s that only looks like a Latin one', (_, namespace, point) => {
    expect(problemsOf(with_({ namespace }))[0]).toContain(`(it holds the character ${point}, which is not ASCII)`)
  })

  it('shows invisible characters as escapes', () => {
    expect(problemsOf(with_({ requester: 'ann\u202egpj' }))[0]).toMatch(
      /^requester is "ann\\u202egpj", wanted one line/,
    )
  })

  it.each(['__proto__', 'constructor', 'prototype'])('refuses a field named %s anywhere', (key) => {
    const [first] = problemsOf(JSON.parse(`{"labels": {"${key}": {"admin": true}}}`))
    expect(first).toBe(`the request has a field named "${key}", which is not allowed anywhere`)
    expect(({} as Record<string, unknown>)['admin']).toBeUndefined()
  })

  it.each<[string, () => unknown, string]>([
    [
      'depth',
      () => JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`),
      'the request is nested deeper than 32 levels',
    ],
    ['width', () => Array(30_000).fill(0), 'the request has more than 20000 values'],
    ['half a character', () => with_({ ticket: 'a\ud800' }), 'ticket is not well-formed Unicode'],
    [
      'half a character in a key',
      () => with_({ labels: { '\udfff': 'a' } }),
      'the request has a field whose name is not well-formed Unicode',
    ],
  ])('refuses too much %s before it looks at the schema', (_, value, sentence) => {
    expect(problemsOf(value())).toEqual([sentence])
  })

  it('ends quickly on two megabytes of text', () => {
    const begin = performance.now()
    expect(
      problemsOf(with_({ application: 'a-'.repeat(1_000_000), callback: { url: `https://${'a'.repeat(1_000_000)}` } })),
    ).toHaveLength(2)
    expect(performance.now() - begin).toBeLessThan(4_000)
  })

  it.each(['yes', 'no', 'on', 'null', '0o14', '014', '1_000', '1.0', '2030-01-01', '~', 'true'])(
    'takes %s as text, which it is in JSON',
    (text) => {
      expect(problemsOf(with_({ variables: { value: text } }))).toEqual([])
    },
  )

  it.each([
    ['a date', 'description: 2030-01-01', 'description is a date, wanted text in quotes'],
    ['an infinity', 'description: .inf', 'description is Infinity, wanted a number, or text in quotes'],
    [
      'a sexagesimal number',
      'description: 1:30',
      'description is 90, wanted one line of at most 256 printable characters',
    ],
    ['a boolean of YAML 1.1', 'guest: yes', 'guest is true, wanted "linux" or "windows"'],
  ])('says that %s in a file wants quotes', (_, yaml, sentence) => {
    const checked = check(Customization, parseYaml(yaml), 'the file')
    expect(checked.ok ? [] : checked.problems).toContain(sentence)
  })

  it('lists what may stand in a list of words', () => {
    const checked = check(Template, { overrides: ['image'] }, 'the file')
    expect(checked.ok ? [] : checked.problems).toContainEqual(
      expect.stringMatching(/^overrides\[0\] is "image", wanted "size" or "rootDisk"/),
    )
  })
})
