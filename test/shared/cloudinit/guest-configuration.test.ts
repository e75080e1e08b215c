import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { toGuestConfiguration } from '../../../shared/cloudinit/guest-configuration.ts'
import type { NamedCustomization } from '../../../shared/cloudinit/lookup.ts'
import { linuxGuest, rendered } from './guests.ts'

const secrets = { x: { store: 'platform', key: 'drover/x' } }
const userDataOf = (customizations: Partial<NamedCustomization>[], variables: Record<string, string> = {}) =>
  parse(toGuestConfiguration(linuxGuest(customizations, { variables })).userData ?? '') as Record<string, unknown>

describe('toGuestConfiguration', () => {
  it('names the machine and begins with the header that cloud-init looks for', () => {
    const { userData, secrets } = toGuestConfiguration(linuxGuest([]))
    expect(userData?.split('\n')[0]).toBe('#cloud-config')
    expect(parse(userData ?? '')).toEqual({
      hostname: 'web-01',
      fqdn: 'web-01.servers.example.com',
      preserve_hostname: false,
    })
    expect(secrets).toEqual({})
  })

  it('lets a customization say otherwise', () => {
    expect(userDataOf([{ userData: { preserve_hostname: true } }])).toMatchObject({ preserve_hostname: true })
  })

  it.each<[string, string, Record<string, string>, string]>([
    ['the name', '${name}', {}, 'web-01'],
    ['the full name', 'http://${fqdn}/', {}, 'http://web-01.servers.example.com/'],
    ['the namespace', '${namespace}', {}, 'shop'],
    ['the first address', '${address}/${prefix} via ${gateway}', {}, '10.20.0.17/22 via 10.20.0.1'],
    [
      'the first MAC, name server and domain',
      '${mac} ${nameserver} ${domain}',
      {},
      '02:00:00:00:00:01 10.20.0.2 servers.example.com',
    ],
    ['a variable', '${zone}', { zone: 'Europe/Madrid' }, 'Europe/Madrid'],
    ['a default', '${port}', {}, '9100'],
    ['a variable over its default', '${port}', { port: '80' }, '80'],
    ['the name over a variable of that name', '${name}', { name: 'other' }, 'web-01'],
    ['what was allocated over a variable', '${domain}', { domain: 'mine' }, 'servers.example.com'],
    ['a value that looks like a placeholder, once', '${zone}', { zone: '${name}' }, '${name}'],
    [
      'a value that looks like YAML, as text',
      '${zone}',
      { zone: 'a\u00e9: [b, {c: "d"}] # e' },
      'a\u00e9: [b, {c: "d"}] # e',
    ],
    ['a word that YAML 1.1 reads as a truth, as text', '${zone}', { zone: 'yes' }, 'yes'],
    ['an escaped placeholder', '$${name}', {}, '${name}'],
    ['a dollar sign', '$5 $name ${', {}, '$5 $name ${'],
    ['braces of another template language', '{{ ds.meta_data }} {% if %}', {}, '{{ ds.meta_data }} {% if %}'],
  ])('fills in %s', (_, text, variables, filled) => {
    const customization = {
      userData: { deep: [{ text }] },
      variables: { port: { description: 'a port', default: '9100' } },
    }
    expect(userDataOf([customization], variables)['deep']).toEqual([{ text: filled }])
  })

  it.each<[string, Partial<NamedCustomization>[], string]>([
    [
      'an unknown placeholder',
      [{ userData: { a: '${nowhere}' } }],
      'Cannot customize web-01: customization "c0" uses ${nowhere}, which nothing defines; write $${nowhere} for a text that stays as it is',
    ],
    [
      'a shell expansion that was not escaped',
      [{ userData: { runcmd: ['echo ${HOME:-/}'] } }],
      'customization "c0" uses ${HOME:-/}',
    ],
    [
      'a secret that nothing defines',
      [{ networkData: { a: '${secret.y}' }, secrets }],
      'customization "c0" uses ${secret.y}',
    ],
    [
      'an unknown placeholder in an answer file',
      [{ unattend: '<a>${nowhere}</a>' }],
      'customization "c0" uses ${nowhere}',
    ],
    [
      'a variable without a value',
      [{ variables: { zone: { description: 'the time zone' } } }],
      'customization "c0" needs a value for the variable "zone" (the time zone)',
    ],
    [
      'one secret defined differently',
      [{ secrets }, { secrets: { x: { store: 'platform', key: 'drover/other' } } }],
      'customizations "c0" and "c1" define the secret "x" differently',
    ],
    [
      'two answer files',
      [{ unattend: '<a/>' }, { unattend: '<b/>' }],
      '"c0" and "c1" both have an unattend, wanted one at most',
    ],
    [
      'a merge_how that cannot be read',
      [{ userData: { merge_how: 'list' } }],
      'customization "c0" has a merge_how that cannot be read',
    ],
    [
      'a control character that marks secrets',
      [{ userData: { a: '\u0001' } }],
      'customization "c0" holds the control character U+0001',
    ],
  ])('refuses %s', (_, customizations, message) => {
    expect(() => toGuestConfiguration(linuxGuest(customizations))).toThrow(message)
  })

  it('names every fault at once', () => {
    const customizations = [{ userData: { a: '${one}' } }, { userData: { a: '${two}' } }]
    expect(() => toGuestConfiguration(linuxGuest(customizations))).toThrow(/\$\{one\}.*\$\{two\}/)
  })

  it('keeps only the secrets that are used, also when two customizations define one alike', () => {
    const unused = { ...secrets, y: { store: 'platform', key: 'drover/y' } }
    const guest = linuxGuest([{ secrets: unused }, { secrets, userData: { a: '${secret.x}' } }])
    expect(toGuestConfiguration(guest).secrets).toEqual(secrets)
  })

  it.each([
    'plain',
    'with "quotes" and \\ backslashes',
    'several\nlines\n  indented\n',
    '{{ .y }}',
    ': not a key # not a comment',
    '',
    'é😀',
  ])('puts the secret %j into user-data as text, wherever it stands', (value) => {
    const texts = [
      '${secret.x}',
      'before ${secret.x} after',
      '{${secret.x}}',
      '{{{${secret.x}}}}',
      'two\n${secret.x}\nlines\n',
    ]
    const guest = linuxGuest([{ secrets, userData: { texts, other: '{{ keep }} {} }}{{' } }])
    const { userData = '' } = toGuestConfiguration(guest)
    expect(parse(rendered(userData, { x: value }))).toMatchObject({
      texts: texts.map((text) => text.replace('${secret.x}', () => value)),
      other: '{{ keep }} {} }}{{',
    })
  })

  it('leaves no action of the template engine but its own', () => {
    const guest = linuxGuest([
      { secrets, userData: { a: '${secret.x}', b: '{{ .x }}' }, networkData: { c: '{{ env }}' } },
    ])
    const { userData = '', networkData = '' } = toGuestConfiguration(guest)
    expect(rendered(`${userData}${networkData}`, { x: 'value' }).match(/value/g)).toHaveLength(1)
    expect(networkData).toContain('{{ `{{` }} env {{ `}}` }}')
  })

  it('leaves braces alone where nothing is secret, for then nothing is a template', () => {
    expect(toGuestConfiguration(linuxGuest([{ userData: { b: '{{ x }}' } }])).userData).toContain('"{{ x }}"')
  })

  it('fills an answer file with text that cannot become markup', () => {
    const unattend = '<a b="${zone}">${secret.x}</a>'
    const guest = linuxGuest([{ secrets, unattend, guest: 'windows' }], {
      kind: 'windows',
      variables: { zone: '"><script>&' },
    })
    const configuration = toGuestConfiguration(guest)
    expect(rendered(configuration.unattend ?? '', { x: '</a>' })).toBe(
      '<a b="&#34;&#62;&#60;script&#62;&#38;">&#60;/a&#62;</a>',
    )
  })

  it('gives a Windows guest user-data only where a customization has it, but always its network', () => {
    const plain = toGuestConfiguration(linuxGuest([], { kind: 'windows' }))
    expect(Object.keys(plain)).toEqual(['networkData', 'secrets'])
    const customized = toGuestConfiguration(linuxGuest([{ userData: { a: 1 } }], { kind: 'windows' }))
    expect(Object.keys(customized)).toEqual(['userData', 'networkData', 'secrets'])
  })
})
