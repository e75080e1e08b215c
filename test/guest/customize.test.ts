import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { GuestCustomization } from '../../shared/schema/guest-customization.ts'
import { baseDisk, callsFolder } from './base-disk.ts'
import { list, takeOut } from './disk.ts'
import { type Ended, hasLoops, openPod, type Pod } from './pod.ts'

/** The pod's own script, run as the pod's user with the real tools on a real disk. */

const publicKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFrXlFxvwkZ0lB7a1m0Yd3XqkZQ7H2mVb6WcR5t8uK1P ann@example.com'
const secrets = {
  root: { password: 'correct-horse-battery' },
  subscription: { org: '17204431', activationKey: 'key-7f3a9c' },
  ann: { 'id_ed25519.pub': publicKey },
}
const subscription = { secret: 'subscription', org: 'org', activationKey: 'activationKey' }
const calls = ['0-register', '1-unregister', '2-clean']
const repository = {
  path: '/etc/apt/sources.list.d/local.list',
  content: 'deb [trusted=yes] file:/srv/repository ./\n',
  mode: '0644',
}

const everything: GuestCustomization = {
  hostname: 'golden.example.com',
  timezone: 'Europe/Berlin',
  rootPassword: { secret: 'root', key: 'password' },
  subscription,
  update: true,
  packages: { install: ['added'], remove: ['dropped'] },
  files: [
    repository,
    { path: '/etc/made/by/drover.conf', content: "it's $HOME and `this`\n", mode: '0640', owner: 'root:adm' },
  ],
  run: [
    { name: 'mark', content: '#!/usr/bin/perl\nsystem("cat /usr/share/added/version >/etc/marked") == 0 or exit 1;\n' },
  ],
  firstboot: [{ name: 'greet', content: '#!/bin/sh\necho hello >/etc/greeted\n' }],
  sshKeys: [{ user: 'root', secret: 'ann', key: 'id_ed25519.pub' }],
}

let whole: Ended
let broken: Ended
const pods: Pod[] = []
const open = (...args: Parameters<typeof openPod>) => {
  const pod = openPod(...args)
  pods.push(pod)
  return pod
}
// Each waits for one processor; together they need little more time than one.
beforeAll(async () => {
  const base = baseDisk()
  ;[whole, broken] = await Promise.all([
    open(base).run(everything, secrets),
    open(base, hasLoops ? 'Block' : 'Filesystem').run({ subscription, packages: { install: ['nowhere'] } }, secrets),
  ])
}, 1_500_000)
afterAll(() => {
  for (const pod of pods) pod.close()
})

const withoutSecrets = (text: string) => {
  expect(text).not.toContain(secrets.root.password)
  expect(text).not.toContain(secrets.subscription.activationKey)
  expect(text).not.toContain(secrets.subscription.org)
}

describe('a disk that is customized', () => {
  let guest: string
  beforeAll(() => {
    guest = mkdtempSync(join(tmpdir(), 'drover-taken-out-'))
    expect(whole.status, whole.log).toBe(0)
    takeOut(whole.disk, ['/etc', '/root', '/tmp', '/usr/lib', '/usr/share/added', '/var/lib', '/var/log'], guest)
  })
  afterAll(() => rmSync(guest, { recursive: true, force: true }))
  const read = (path: string) => readFileSync(join(guest, path), 'utf8')
  const owned = (path: string) => {
    const { uid, gid, mode } = statSync(join(guest, path))
    return [uid, gid, (mode & 0o7777).toString(8)]
  }

  it('tells which packages changed', () => {
    expect(whole.outcome).toEqual({
      done: true,
      packages: {
        before: expect.any(Number),
        changes: 3,
        changed: ['added none -> 1.0', 'dropped 1.0 -> none', 'kept 1.0 -> 1.1'],
        truncated: false,
      },
    })
    expect(Buffer.byteLength(whole.message)).toBeLessThan(4096)
  })

  it('has its files with their contents, owners and modes', () => {
    expect(read('/etc/made/by/drover.conf')).toBe("it's $HOME and `this`\n")
    expect(owned('/etc/made/by/drover.conf')).toEqual([0, 4, '640'])
    expect(owned('/etc/made/by')).toEqual([0, 0, '755'])
    expect(owned(repository.path)).toEqual([0, 0, '644'])
  })

  it('has the root password, the time zone and the name', () => {
    expect(read('/etc/shadow')).toMatch(/^root:\$(6|y)\$/)
    expect(readlinkSync(join(guest, '/etc/localtime'))).toBe('/usr/share/zoneinfo/Europe/Berlin')
    expect(read('/etc/hostname')).toBe('golden.example.com\n')
  })

  it('has the packages, and what a script made of them', () => {
    expect(read('/usr/share/added/version')).toBe('1.0\n')
    expect(read('/etc/marked')).toBe('1.0\n')
  })

  it('has the key of who may log in', () => {
    expect(read('/root/.ssh/authorized_keys')).toContain(publicKey)
    expect(owned('/root/.ssh/authorized_keys')).toEqual([0, 0, '600'])
  })

  it('has no identity of its own, though virt-customize gave it one: each machine made from it gets another', () => {
    expect(whole.log).toContain('Setting the machine ID')
    expect(read('/etc/machine-id')).toBe('')
  })

  it('has the script of its first boot', () => {
    const scripts = join(guest, '/usr/lib/virt-sysprep/scripts')
    const [script, ...more] = readdirSync(scripts)
    expect(more).toEqual([])
    expect(readFileSync(join(scripts, script ?? ''), 'utf8')).toBe(everything.firstboot?.[0]?.content)
  })

  it('was registered while packages were worked on, and is not any more', () => {
    expect(readdirSync(join(guest, callsFolder)).sort()).toEqual(calls)
    expect(readdirSync(join(guest, '/var/lib/drover')).sort()).toEqual(['packages.after', 'packages.before'])
  })

  it('has no log of it, and the log that there is has no secret', () => {
    expect(existsSync(join(guest, '/tmp/builder.log'))).toBe(false)
    withoutSecrets(whole.log)
    withoutSecrets(whole.message)
  })
})

describe(`a disk whose customization fails, ${hasLoops ? 'a block device' : 'a file (this machine has no loop devices)'}`, () => {
  it('says so, with a reason that has no secret', () => {
    expect(broken.status).toBe(1)
    expect(broken.outcome).toEqual({
      done: false,
      reason: 'virt-customize: error: files/packages.sh: command exited with an error',
    })
    expect(broken.log).toContain('Unable to locate package nowhere')
    expect(broken.log).toContain('--activationkey=[redacted]')
    withoutSecrets(broken.log)
  })

  it('is not registered, and has no credentials', () => {
    expect(list(broken.disk, callsFolder, '/var/lib/drover')).toEqual([...calls, 'packages.before'])
  })
})

describe('a disk that cannot be opened', () => {
  it('is refused before anything is started', async () => {
    const { status, message } = await open(undefined).run({ timezone: 'UTC' }, {})
    expect(status).toBe(1)
    expect(message).toMatch(/^\{"reason":"Cannot open the disk \S+\/disk.img: it is not there"\}$/)
  })
})
