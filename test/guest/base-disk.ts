import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { environment } from '../../shared/config.ts'
import { appliance } from './appliance.ts'

/** Where the guest's subscription-manager leaves its calls. */
export const callsFolder = '/var/log/subscription'

/**
 * A small Debian on a disk, made once for a machine. In it are a package repository with packages that are ours, so that
 * a customization needs no network, and a subscription-manager that only writes down how it was called.
 */
export function baseDisk(): string {
  const recipe = createHash('sha256')
    .update(readFileSync(new URL(import.meta.url)))
    .digest('hex')
    .slice(0, 12)
  const folder = join(tmpdir(), 'drover-guest')
  const disk = join(folder, `${recipe}.img`)
  if (existsSync(disk)) return disk
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true, mode: 0o755 })
  const root = join(folder, 'root')
  run('debootstrap', '--variant=minbase', 'bookworm', root, mirror())
  addPackages(root)
  addSubscriptionManager(root)
  // As images for clouds have it: virt-customize fills it in.
  writeFileSync(join(root, 'etc/machine-id'), '')
  run('virt-make-fs', '--partition=gpt', '--type=ext4', '--size=+300M', root, `${disk}.part`)
  renameSync(`${disk}.part`, disk)
  rmSync(root, { recursive: true })
  return disk
}

/** Debian's mirror as this machine's apt has it. */
function mirror(): string {
  const targets = run('apt-get', 'indextargets', '--format', '$(ORIGIN)|$(CODENAME)|$(REPO_URI)')
  const [, , found] =
    targets
      .split('\n')
      .map((line) => line.split('|'))
      .find(([origin, codename]) => origin === 'Debian' && codename === 'bookworm') ?? []
  if (!found) throw new Error('Cannot make a disk: apt knows no mirror of Debian bookworm, wanted one in its sources')
  return found
}

/** `kept` 1.0 and `dropped` 1.0 are installed; the repository has `kept` 1.1 and `added` 1.0. */
function addPackages(root: string): void {
  const repository = join(root, 'srv/repository')
  mkdirSync(repository, { recursive: true })
  const installed = [deb(root, 'kept', '1.0'), deb(root, 'dropped', '1.0')]
  run('dpkg', `--root=${root}`, '--install', ...installed)
  for (const file of installed) rmSync(file)
  for (const file of [deb(repository, 'kept', '1.1'), deb(repository, 'added', '1.0')])
    writeFileSync(join(repository, 'Packages'), entry(repository, file), { flag: 'a' })
  // Of the mirror nothing is asked again: what is newer there would be part of what changes.
  rmSync(join(root, 'etc/apt/sources.list'))
}

function deb(folder: string, name: string, version: string): string {
  const tree = join(folder, `${name}.tree`)
  mkdirSync(join(tree, 'DEBIAN'), { recursive: true })
  mkdirSync(join(tree, 'usr/share', name), { recursive: true })
  writeFileSync(join(tree, 'usr/share', name, 'version'), `${version}\n`)
  writeFileSync(
    join(tree, 'DEBIAN/control'),
    `Package: ${name}\nVersion: ${version}\nArchitecture: all\nMaintainer: nobody <nobody@example.com>\nDescription: for tests\n`,
  )
  const file = join(folder, `${name}_${version}_all.deb`)
  run('dpkg-deb', '--build', '--root-owner-group', tree, file)
  rmSync(tree, { recursive: true })
  return file
}

function entry(repository: string, file: string): string {
  const content = readFileSync(file)
  const control = run('dpkg-deb', '--field', file).trim()
  const sum = createHash('sha256').update(content).digest('hex')
  return `${control}\nFilename: .${file.slice(repository.length)}\nSize: ${content.length}\nSHA256: ${sum}\n\n`
}

/** It says all that it was told, secrets too, as some errors of the real one do; each call leaves a file with its name. */
function addSubscriptionManager(root: string): void {
  const calls = join(root, callsFolder)
  mkdirSync(calls)
  const script = `#!/bin/sh\necho "subscription-manager $*"\ncd ${callsFolder}\n: >"$(ls | wc -l)-$1"\n`
  writeFileSync(join(root, 'usr/sbin/subscription-manager'), script, { mode: 0o755 })
}

function run(program: string, ...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    env: { ...environment(), ...appliance },
  })
  if (status !== 0) throw new Error(`Cannot make a disk: ${program} ended with ${status}`, { cause: error ?? stderr })
  return stdout
}
