import { expect, it } from 'vitest'
import { customizationTable } from '../../../scripts/docs/customization.ts'
import { customizeCommands } from '../../../shared/images/customize-commands.ts'
import type { GuestCustomization } from '../../../shared/schema/guest-customization.ts'

const secret = { secret: 'golden', key: 'value' }
const script = { name: 'one', content: '#!/bin/sh\n' }
const whole: GuestCustomization = {
  rootPassword: secret,
  subscription: { secret: 'golden', org: 'org', activationKey: 'key' },
  update: true,
  packages: { install: ['chrony'], remove: ['nano'] },
  files: [{ path: '/etc/x', content: 'x', mode: '0644', owner: 'chrony' }],
  run: [script],
  firstboot: [script],
  sshKeys: [{ user: 'root', ...secret }],
  timezone: 'UTC',
  hostname: 'web',
  selinuxRelabel: true,
}

/** Where the commands show what a field is for. */
const traces: Partial<Record<keyof GuestCustomization, string>> = {
  hostname: 'hostname ',
  timezone: 'timezone ',
  files: 'upload files/file-0:',
  subscription: 'upload secrets/golden/org:',
  packages: 'run files/packages.sh',
  rootPassword: 'root-password ',
  run: 'run files/run-0-one',
  sshKeys: 'ssh-inject ',
  firstboot: 'firstboot ',
}

const rows = customizationTable()
  .split('\n')
  .slice(2)
  .map((row) => row.split('|').map((cell) => cell.trim()))

it('says what is done to a disk in the order in which it is done', () => {
  const { commands = '', 'packages.sh': packages = '' } = customizeCommands(whole, false)
  const fields = rows.map(([, field = '']) => field.replaceAll('`', '') as keyof GuestCustomization)
  expect(fields.toSorted()).toEqual(Object.keys(whole).sort())
  const places = fields.flatMap((field) => (traces[field] ? [commands.indexOf(traces[field])] : []))
  expect(places).not.toContain(-1)
  expect(places).toEqual(places.toSorted((a, b) => a - b))
  expect(packages).toMatch(/^remove_packages .*^update_packages.*^install_packages /ms)
  expect(commands.indexOf('run files/file-owners.sh')).toBeGreaterThan(commands.indexOf('run files/packages.sh'))
})

it('says how much a field holds, and which parts of it may be left out', () => {
  const held = Object.fromEntries(rows.map(([, field = '', holds = '']) => [field.replaceAll('`', ''), holds]))
  expect(held['update']).toBe('`true` or `false`')
  expect(held['packages']).toMatch(/^`install`, if you like: up to 128: the name of a package/)
  expect(held['files']).toMatch(
    /^up to 32, each with<br>`path`: an absolute path .*<br>`owner`, if you like: a user of/,
  )
})
