import { execFile, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { toRemote } from '../../../shared/clients/git/remote.ts'
import { fullText, rejection } from './git/errors.ts'
import { type Mount, mountSecret } from './git/mount.ts'
import { missing, type Sshd, startSshd } from './git/sshd.ts'
import { counting, makeWorld, type World } from './git/world.ts'

const execute = promisify(execFile)

// A connection of ssh takes a second on a busy machine.
vi.setConfig({ testTimeout: 120_000 })

interface Reached {
  world: World
  sshd: Sshd
  /** The Secret with the key and the known hosts. */
  secret: Mount
  env: Record<string, string>
}

/** A repository behind a real sshd, and what a function is told to reach it. */
async function reach(files: { key?: string; hosts?: string } = {}): Promise<Reached> {
  const world = await makeWorld()
  const sshd = await startSshd()
  const key = files.key ?? (await readFile(await sshd.makeKey('drover'), 'utf8'))
  const secret = mountSecret(world.directory, { key, hosts: files.hosts ?? (await sshd.knownHosts(sshd.port)) })
  const env = {
    DROVER_GIT_URL: sshd.url(world.host.path),
    DROVER_GIT_SSH_KEY_FILE: secret.path('key'),
    DROVER_GIT_KNOWN_HOSTS_FILE: secret.path('hosts'),
  }
  return { world, sshd, secret, env }
}

describe('openFleet over ssh', () => {
  beforeEach(({ skip }) => skip(missing !== undefined, missing))

  it('reads and pushes with a mounted key that others may read, and leaves no copy of it', async () => {
    const { world, env } = await reach()
    const directory = join(world.directory, "it's 100% ours")
    const fleet = world.openBy(env, { directory })
    await fleet.transact(counting('a'))
    expect(await (await fleet.head()).read('counter')).toBe('1')
    expect(await world.git('show', 'main:counter')).toBe('1')
    const [room = '', version = ''] = (await readdir(directory, { recursive: true })).filter((name) =>
      name.includes('.ssh'),
    )
    const modes = [room, version, join(version, 'key')].map(
      async (path) => (await stat(join(directory, path))).mode & 0o777,
    )
    expect(await Promise.all(modes)).toEqual([0o700, 0o700, 0o600])
    await fleet.close()
    expect(await readdir(directory)).toEqual([])
  })

  it.each([
    ['without a line end', (key: string) => key.trimEnd()],
    ['with the line ends of Windows', (key: string) => key.replaceAll('\n', '\r\n')],
  ])('takes a key %s, which ssh would not', async (_, change) => {
    const { world, env, secret, sshd } = await reach()
    secret.write({ key: change(await readFile(secret.path('key'), 'utf8')), hosts: await sshd.knownHosts(sshd.port) })
    await world.openBy(env).transact(counting('a'))
    expect(await world.git('show', 'main:counter')).toBe('1')
  })

  it('takes up a new key and a new host key while it runs', async () => {
    const { world, env, secret, sshd } = await reach()
    const fleet = world.openBy(env)
    await fleet.transact(counting('a'))
    const key = await readFile(await sshd.makeKey('next'), 'utf8')
    const hosts = await sshd.knownHosts(sshd.port)
    secret.write({ key, hosts: `# rotated\n${hosts}` })
    await fleet.transact(counting('b'))
    expect(await world.git('show', 'main:counter')).toBe('2')
    const copies = await readdir(join(world.directory, 'cache'), { recursive: true })
    expect(copies.filter((name) => name.endsWith('/key'))).toHaveLength(1)
  })

  it('writes its copy of the key again when it is lost with the folder that holds it', async () => {
    const { world, env } = await reach()
    const directory = join(world.directory, 'lost')
    const fleet = world.openBy(env, { directory })
    await fleet.transact(counting('a'))
    await rm(directory, { recursive: true })
    await fleet.transact(counting('b'))
    expect(await world.git('show', 'main:counter')).toBe('2')
  })

  it('does a push again whose key was changed a moment before, and makes its commit once', async () => {
    const { world, env, secret, sshd } = await reach()
    const fleet = world.openBy(env)
    await fleet.transact(counting('a'))
    const transaction = counting('b')
    const hosts = await sshd.knownHosts(sshd.port)
    const decide: typeof transaction.decide = async (tree) => {
      const decision = await transaction.decide(tree)
      // The server knows the new key alone; the Secret has it when ssh has begun with the old one.
      const key = await readFile(await sshd.makeKey('next'), 'utf8')
      sshd.onConnection(() => secret.write({ key, hosts }))
      return decision
    }
    expect(await fleet.transact({ ...transaction, decide })).toMatchObject({ created: true, value: 2 })
    expect([await world.git('show', 'main:counter'), await world.git('rev-list', '--count', 'main')]).toEqual([
      '2',
      '2',
    ])
  })

  it.each<[string, (sshd: Sshd) => Promise<string>, RegExp]>([
    [
      'a host key that nobody told us',
      async () => 'git.example.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJ5IGhhbmQ\n',
      /^Cannot read the fleet repository: the key of the Git server is not known: DROVER_GIT_KNOWN_HOSTS_FILE must hold a key of \[127\.0\.0\.1\]:\d+; ask whoever runs the server for it$/,
    ],
    [
      'another host key than the one we know',
      async (sshd) => sshd.knownHosts(sshd.port, await sshd.makeKey('other')),
      /^Cannot read the fleet repository: \[127\.0\.0\.1\]:\d+ shows another key than the one in DROVER_GIT_KNOWN_HOSTS_FILE, so it may be somebody else: if whoever runs the server has changed it, put its new key there$/,
    ],
  ])('trusts no server with %s, and says what to do', async (_, hosts, sentence) => {
    const { world, env, secret, sshd } = await reach()
    const known = await hosts(sshd)
    secret.write({ key: await readFile(secret.path('key'), 'utf8'), hosts: known })
    const fleet = world.openBy(env, { tries: 2 })
    for (const call of [() => fleet.head(), () => fleet.transact(counting('a'))]) {
      const error = await rejection(call())
      expect([error.reason, error.message]).toEqual(['broken', expect.stringMatching(sentence)])
    }
    expect(await readFile(secret.path('hosts'), 'utf8')).toBe(known)
  })

  it('says that its key is not accepted, and shows none of it', async () => {
    const { world, env, sshd, secret } = await reach()
    await sshd.makeKey('other')
    const error = await rejection(world.openBy(env, { tries: 2 }).transact(counting('a')))
    expect([error.reason, error.message]).toEqual([
      'broken',
      'Cannot read the fleet repository: the Git server does not accept our credentials',
    ])
    const [, line = '?'] = readFileSync(secret.path('key'), 'utf8').split('\n')
    expect(fullText(error)).not.toContain(line)
  })

  it('says that its file holds no key when it has become unusable', async () => {
    const { world, env, secret, sshd } = await reach()
    const fleet = world.openBy(env, { tries: 2 })
    const key = (await readFile(secret.path('key'), 'utf8')).replace(/\n.*\n/, '\nAAAA\n')
    secret.write({ key, hosts: await sshd.knownHosts(sshd.port) })
    expect((await rejection(fleet.head())).message).toBe(
      'Cannot read the fleet repository: the file of DROVER_GIT_SSH_KEY_FILE holds no private key that ssh can use',
    )
  })

  it('says that ssh is missing', async () => {
    const { world, env } = await reach()
    const { stdout } = await execute('sh', ['-c', 'command -v git'])
    const path = join(world.directory, 'bin')
    await execute('sh', ['-c', 'mkdir "$0" && ln -s "$1" /bin/sh "$0"', path, stdout.trim()])
    const error = await rejection(world.openBy({ ...env, PATH: path }, { tries: 2 }).head())
    expect(error.message).toBe(
      'Cannot read the fleet repository: there is no ssh here: install it, or use an address of https',
    )
  })

  it('says it in words when the server knows no such repository', async () => {
    const { world, env, sshd } = await reach()
    const error = await rejection(world.openBy({ ...env, DROVER_GIT_URL: sshd.url('/nowhere/fleet.git') }).head())
    expect([error.reason, error.message]).toEqual([
      'broken',
      'Cannot read the fleet repository: the Git server knows no such repository, or hides it from us',
    ])
  })

  it('heeds no settings but ours', async () => {
    const { world, secret } = await reach()
    const ssh = { keyFile: secret.path('key'), knownHostsFile: secret.path('hosts') }
    const remote = toRemote({ url: 'git@git.example.com:fleet.git', directory: world.directory, ssh })
    const { GIT_SSH_COMMAND: command = '' } = await remote.environment()
    const { stdout } = await execute('sh', ['-c', `${command} -G git.example.com`])
    const settings = Object.fromEntries(stdout.split('\n').map((line) => line.split(/ (.*)/s).slice(0, 2)))
    expect(settings).toMatchObject({
      batchmode: 'yes',
      stricthostkeychecking: 'true',
      identitiesonly: 'yes',
      identityagent: 'none',
      globalknownhostsfile: '/dev/null',
      updatehostkeys: 'false',
      forwardagent: 'no',
      preferredauthentications: 'publickey',
    })
    for (const name of ['identityfile', 'userknownhostsfile']) expect(settings[name]).toContain(world.directory)
    await remote.close()
  })

  it('still says in the words that we know that a user has no name', async ({ skip }) => {
    skip(process.getuid?.() !== 0, 'only root can run ssh as another user')
    const child = spawn('ssh', ['-F', 'none', 'git.example.com'], { uid: 54_321, gid: 54_321 })
    expect(await text(child.stderr)).toContain('No user exists for uid 54321')
  })
})
