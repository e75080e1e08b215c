import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { customizeCommands } from '../../../shared/images/customize-commands.ts'
import { check } from '../../../shared/schema/check.ts'
import { GuestCustomization } from '../../../shared/schema/guest-customization.ts'
import { everything } from './customizations.ts'

const linesOf = (customization: GuestCustomization) =>
  customizeCommands(customization, false)['commands']?.trimEnd().split('\n') ?? []

describe('customizeCommands', () => {
  it('writes what is asked for as commands, in an order in which each finds what it needs', () => {
    expect(linesOf(everything())).toEqual([
      'run files/packages-before.sh',
      'hostname golden.example.com',
      'timezone Europe/Berlin',
      'mkdir /etc',
      'upload files/file-0:/etc/chrony.conf',
      'mkdir /etc/nginx/conf.d',
      'upload files/file-1:/etc/nginx/conf.d/site.conf',
      'run files/file-modes.sh',
      'mkdir /var/lib/drover/subscription',
      'chmod 0700:/var/lib/drover/subscription',
      'upload secrets/rhel/org:/var/lib/drover/subscription/org',
      'upload secrets/rhel/key:/var/lib/drover/subscription/activationKey',
      'run files/packages.sh',
      'delete /var/lib/drover/subscription',
      'run files/file-owners.sh',
      'root-password file:secrets/root/password',
      'mkdir /var/lib/drover',
      'upload files/script-0:/var/lib/drover/script',
      'run files/run-0-tune',
      'ssh-inject ann:file:secrets/ann/id_ed25519.pub',
      'firstboot files/firstboot-0-greet',
      'run files/packages-after.sh',
      'no-logfile',
    ])
  })

  it('seals a disk that many machines are made from, when all else is done, and never the disk of a machine', () => {
    const sealed = customizeCommands({ update: true }, true)
    expect(sealed['commands']?.trimEnd().split('\n').slice(-3)).toEqual([
      'run files/packages-after.sh',
      'run files/seal.sh',
      'no-logfile',
    ])
    expect(sealed['seal.sh']).toContain('/etc/machine-id')
    expect(Object.keys(customizeCommands({ update: true }, false))).not.toContain('seal.sh')
  })

  it('has every file that a command names, and no other', () => {
    const named = linesOf(everything()).flatMap((line) => /files\/([^:]+)/.exec(line)?.[1] ?? [])
    expect(Object.keys(customizeCommands(everything(), false)).sort()).toEqual(
      [...named, 'commands', 'customize.sh'].sort(),
    )
  })

  it('writes the same for the same customization', () => {
    expect(customizeCommands(everything(), false)).toEqual(customizeCommands(everything(), false))
  })

  it('does nothing that is not asked for', () => {
    const listed = ['run files/packages-before.sh', 'run files/packages-after.sh', 'no-logfile']
    expect(linesOf({})).toEqual(listed)
    expect(linesOf({ selinuxRelabel: false, update: false, packages: {} })).toEqual(listed)
  })

  it('gives a subscription back in the script that asks for it, before anything can fail', () => {
    const script = customizeCommands(everything(), false)['packages.sh'] ?? ''
    expect(script.indexOf('trap leave EXIT')).toBeLessThan(script.indexOf('subscription-manager register'))
    expect(script).toMatch(
      /remove_packages 'telnet'\nrefresh\nupdate_packages\ninstall_packages 'nginx' 'gcc-c\+\+'\n$/,
    )
  })

  it('runs a script by the program that it names, for virt-customize gives it to /bin/sh', () => {
    const files = customizeCommands({ run: [{ name: 'tune', content: '#!/usr/bin/python3\n' }] }, false)
    expect(files['script-0']).toBe('#!/usr/bin/python3\n')
    expect(files['run-0-tune']).toMatch(/chmod 0700 \/var\/lib\/drover\/script\n\/var\/lib\/drover\/script\n$/)
  })

  it('asks for no subscription that nobody named', () => {
    const { subscription: _, ...rest } = everything()
    expect(customizeCommands(rest, false)['packages.sh']).not.toContain('subscription-manager')
    expect(linesOf(rest).join()).not.toContain('/var/lib/drover/subscription')
  })

  it('refuses more than a ConfigMap holds', () => {
    const content = 'x'.repeat(65536)
    const files = Array.from({ length: 16 }, (_, at) => ({ path: `/etc/${at}`, content, mode: '0644' }))
    expect(() => customizeCommands({ files }, false)).toThrow(
      /^Cannot customize the guest: its files and scripts have 10\d{5} bytes, wanted at most 1000000$/,
    )
  })
})

/** The first words of lines, for each of which a version from 1.48 to 1.57 has the option of that name. */
const known = /^(run|hostname|timezone|mkdir|upload|chmod|delete|root-password|ssh-inject|firstboot|no-logfile)( \S+)?$/

/** Texts that are made of what attacks are made of, and words that are right. */
const text = fc.oneof(
  fc.constantFrom('a', 'nginx', '/etc/a', '0644', '#!/bin/sh\n', 'UTC', 'root:adm'),
  fc
    .array(fc.constantFrom('a', '/', '.', ':', '-', '\n', '\\', ' ', "'", '$', '\0', '#', '0', '\r', '\u2028'), {
      maxLength: 8,
    })
    .map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 12 }),
)
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })
const script = fc.record({ name: text, content: text.map((rest) => `#!/bin/sh\n${rest}`) })
const customization = fc
  .record({
    hostname: optional(text),
    timezone: optional(text),
    rootPassword: optional(fc.record({ secret: text, key: text })),
    subscription: optional(fc.record({ secret: text, org: text, activationKey: text })),
    packages: optional(fc.record({ install: fc.array(text, { maxLength: 2 }) })),
    files: optional(fc.array(fc.record({ path: text, content: text, mode: text }), { maxLength: 2 })),
    run: optional(fc.array(script, { maxLength: 2 })),
    sshKeys: optional(fc.array(fc.record({ user: text, secret: text, key: text }), { maxLength: 2 })),
  })
  .map((fields) => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)))

/** The fields of a customization that the schema takes, each looked at alone: whole ones are seldom right. */
function accepted(fields: Record<string, unknown>): GuestCustomization {
  const right = Object.entries(fields).filter(([key, value]) => check(GuestCustomization, { [key]: value }, 'it').ok)
  return Object.fromEntries(right)
}

/** How many lines of commands a customization may have at most. */
const linesWanted = ({ hostname, timezone, rootPassword, subscription, ...lists }: GuestCustomization): number => {
  const { packages, files = [], run = [], sshKeys = [] } = lists
  const isWorked = subscription !== undefined || (packages?.install ?? []).length > 0
  const written = files.length > 0 ? files.filter(({ path }) => path.lastIndexOf('/') > 0).length + files.length + 1 : 0
  return (
    [hostname, timezone, rootPassword].filter((one) => one !== undefined).length +
    (subscription ? 5 : 0) +
    (isWorked ? 1 : 0) +
    written +
    3 * run.length +
    sshKeys.length +
    // The packages before and after, and no log of it.
    3
  )
}

describe('whatever a customization says that the schema takes', () => {
  it('adds no line to the commands, no word to a line and no option', () => {
    let tried = 0
    fc.assert(
      fc.property(customization, (fields) => {
        const taken = accepted(fields)
        if (Object.keys(taken).length > 0) tried++
        const lines = linesOf(taken)
        expect(lines).toHaveLength(linesWanted(taken))
        for (const line of lines) {
          expect(line).toMatch(known)
          expect(line.endsWith('\\')).toBe(false)
        }
      }),
      { numRuns: 500 },
    )
    expect(tried).toBeGreaterThan(50)
  })
})
