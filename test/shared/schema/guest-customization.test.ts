import { describe, expect, it } from 'vitest'
import { check } from '../../../shared/schema/check.ts'
import { GuestCustomization } from '../../../shared/schema/guest-customization.ts'
import { everything } from '../images/customizations.ts'

const problemsOf = (value: unknown) => {
  const checked = check(GuestCustomization, value, 'the customization')
  return checked.ok ? [] : checked.problems
}

/** Every field whose value becomes a part of a command, a path or a shell's word, with a customization around it. */
const words: [where: string, around: (text: string) => object][] = [
  ['hostname', (hostname) => ({ hostname })],
  ['timezone', (timezone) => ({ timezone })],
  ['rootPassword.secret', (secret) => ({ rootPassword: { secret, key: 'a' } })],
  ['rootPassword.key', (key) => ({ rootPassword: { secret: 'a', key } })],
  ['subscription.secret', (secret) => ({ subscription: { secret, org: 'a', activationKey: 'a' } })],
  ['subscription.org', (org) => ({ subscription: { secret: 'a', org, activationKey: 'a' } })],
  ['subscription.activationKey', (activationKey) => ({ subscription: { secret: 'a', org: 'a', activationKey } })],
  ['packages.install[0]', (name) => ({ packages: { install: [name] } })],
  ['packages.remove[0]', (name) => ({ packages: { remove: [name] } })],
  ['files[0].path', (path) => ({ files: [{ path, content: '', mode: '0644' }] })],
  ['files[0].path', (path) => ({ files: [{ path: `/etc/${path}`, content: '', mode: '0644' }] })],
  ['files[0].mode', (mode) => ({ files: [{ path: '/a', content: '', mode }] })],
  ['files[0].owner', (owner) => ({ files: [{ path: '/a', content: '', mode: '0644', owner }] })],
  ['run[0].name', (name) => ({ run: [{ name, content: '#!/bin/sh' }] })],
  ['firstboot[0].name', (name) => ({ firstboot: [{ name, content: '#!/bin/sh' }] })],
  ['sshKeys[0].user', (user) => ({ sshKeys: [{ user, secret: 'a', key: 'a' }] })],
  ['sshKeys[0].secret', (secret) => ({ sshKeys: [{ user: 'a', secret, key: 'a' }] })],
  ['sshKeys[0].key', (key) => ({ sshKeys: [{ user: 'a', secret: 'a', key }] })],
]

const attacks: [what: string, text: string][] = [
  ['another command on a line of its own', 'a\nrun-command reboot'],
  ['a line that goes on', 'a\\'],
  ['a carriage return', 'a\rb'],
  ['a line separator', 'a\u2028b'],
  ['a null character', 'a\u0000b'],
  ['a second word', 'a b'],
  ['a command of a shell', '$(reboot)'],
  ['the end of a quoted word', "a';reboot;'"],
  ['the way out of a folder', '../../etc/shadow'],
  ['a comment', '#a'],
  ['nothing', ''],
]

describe('GuestCustomization', () => {
  it('takes one that has every field', () => {
    expect(problemsOf(everything())).toEqual([])
  })

  it('takes one that has none', () => {
    expect(problemsOf({})).toEqual([])
  })

  describe.each(words)('at %s', (where, around) => {
    it.each(attacks)('refuses %s', (_, text) => {
      expect(problemsOf(around(text))[0]).toMatch(
        new RegExp(`^${where.replaceAll(/[[\].]/g, '\\$&')} (is .*, wanted|has)`),
      )
    })
  })

  it.each<[string, object, string]>([
    ['an option as a package', { packages: { install: ['-y'] } }, 'packages.install[0] is "-y", wanted the name of a'],
    ['an option as a user', { sshKeys: [{ user: '-a', secret: 'a', key: 'a' }] }, 'sshKeys[0].user is "-a"'],
    ['an option as a time zone', { timezone: '--delete' }, 'timezone is "--delete", wanted a time zone such as "UTC"'],
    ['the way out of the time zones', { timezone: 'Europe/../../x' }, 'timezone is "Europe/../../x"'],
    ['a ":" in a path', { files: [{ path: '/a:/etc/b', content: '', mode: '0644' }] }, 'files[0].path is "/a:/etc/b"'],
    ['a path that begins nowhere', { files: [{ path: 'a', content: '', mode: '0644' }] }, 'files[0].path is "a"'],
    ['a folder as a path', { files: [{ path: '/etc/', content: '', mode: '0644' }] }, 'files[0].path is "/etc/"'],
    ['a mode without its 0', { files: [{ path: '/a', content: '', mode: '644' }] }, 'files[0].mode is "644", wanted'],
    ['a mode that lends rights', { files: [{ path: '/a', content: '', mode: '4755' }] }, 'files[0].mode is "4755"'],
    ['a null character in a file', { files: [{ path: '/a', content: '\0', mode: '0644' }] }, 'files[0].content is'],
    ['a script without its program', { run: [{ name: 'a', content: 'reboot' }] }, 'run[0].content is "reboot", wanted'],
    ['a password as it is', { rootPassword: 'secret' }, 'wanted {secret, key}'],
    ['a misspelt field', { timezon: 'UTC' }, 'timezon is not a known field: did you mean "timezone"?'],
  ])('refuses %s', (_, value, sentence) => {
    expect(problemsOf(value)[0]).toContain(sentence)
  })
})
