import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { type GitHostConfig, startGitHost } from '../../../local/git/host.ts'
import { seedFleet } from '../../../local/git/seed.ts'

const execute = promisify(execFile)
const git = async (...args: string[]) => (await execute('git', args)).stdout.trimEnd()

async function start(config: Partial<GitHostConfig> = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'drover-host-'))
  const host = await startGitHost({ directory, token: 't/o+ken', ...config })
  onTestFinished(async () => {
    await host.close()
    await rm(directory, { recursive: true, force: true })
  })
  return { host, directory }
}

/** How many halves of git serve somebody here. */
async function serving(name: string): Promise<number> {
  const { stdout } = await execute('ps', ['-o', 'args=', '--ppid', String(process.pid)]).catch(() => ({ stdout: '' }))
  return stdout.split('\n').filter((line) => line.startsWith(`git ${name} `)).length
}

/** A request to one half of git, for the test to end or to break off. */
function post(address: string, name: string, headers: Record<string, number> = {}): ClientRequest {
  const authorization = 'Bearer t/o+ken'
  return request(`${address}/${name}`, { method: 'POST', headers: { authorization, ...headers } }).on(
    'error',
    () => undefined,
  )
}

describe('startGitHost', () => {
  it('serves what people clone with the address it gives, and takes what they push', async () => {
    const { host, directory } = await start()
    const clone = join(directory, 'clone')
    await git('clone', '-q', host.url, clone)
    await writeFile(join(clone, 'big.txt'), 'x\n'.repeat(1_500_000))
    await git('-C', clone, 'add', '.')
    await git('-C', clone, '-c', 'user.name=a', '-c', 'user.email=b', 'commit', '-q', '-m', 'first')
    await git('-C', clone, 'push', '-q', 'origin', 'HEAD:main')
    expect(await git('ls-remote', host.url, 'main')).toContain(await git('-C', clone, 'rev-parse', 'HEAD'))
    await expect(git('-C', clone, 'push', '-q', 'origin', ':main')).rejects.toThrow('deletion prohibited')
  })

  it('takes pushes again where git was killed with its locks in the repository', async () => {
    const { host, directory } = await start()
    const clone = join(directory, 'clone')
    await git('clone', '-q', host.url, clone)
    await git('-C', clone, '-c', 'user.name=a', '-c', 'user.email=b', 'commit', '-q', '--allow-empty', '-m', 'first')
    for (const lock of ['HEAD.lock', 'refs/heads/main.lock']) await writeFile(join(host.path, lock), '')
    await expect(git('-C', clone, 'push', '-q', 'origin', 'HEAD:main')).rejects.toThrow('File exists')
    const again = await startGitHost({ directory, token: 't/o+ken' })
    onTestFinished(() => again.close())
    await git('-C', clone, 'push', '-q', again.url, 'HEAD:main')
    expect(await git('ls-remote', again.url, 'main')).toContain(await git('-C', clone, 'rev-parse', 'HEAD'))
  })

  it('leaves a lock that somebody holds', async () => {
    const { host, directory } = await start()
    const lock = join(host.path, 'HEAD.lock')
    await writeFile(lock, 'old')
    const starting = startGitHost({ directory, token: 't/o+ken' })
    await sleep(200)
    await rm(lock)
    await writeFile(lock, 'new')
    const again = await starting
    onTestFinished(() => again.close())
    expect(await readFile(lock, 'utf8')).toBe('new')
  })

  it.each<[string, Record<string, string>, string, number]>([
    ['no token', {}, '/fleet.git/info/refs?service=git-upload-pack', 401],
    [
      'a wrong token',
      { authorization: `Basic ${btoa('any:wrong')}` },
      '/fleet.git/info/refs?service=git-upload-pack',
      401,
    ],
    ['an empty token', { authorization: 'Bearer ' }, '/fleet.git/info/refs?service=git-upload-pack', 401],
    [
      'any user with the token',
      { authorization: `Basic ${btoa('any:t/o+ken')}` },
      '/fleet.git/info/refs?service=git-upload-pack',
      200,
    ],
    ['the token as a Bearer', { authorization: 'Bearer t/o+ken' }, '/fleet.git/info/refs?service=git-upload-pack', 200],
    ['another repository', { authorization: 'Bearer t/o+ken' }, '/other.git/info/refs?service=git-upload-pack', 404],
    ['a plain file', { authorization: 'Bearer t/o+ken' }, '/fleet.git/config', 404],
    ['a path that leads out', { authorization: 'Bearer t/o+ken' }, '/fleet.git/%2e%2e/x/info/refs', 404],
  ])('answers %s', async (_, headers, path, status) => {
    const { host } = await start()
    const response = await fetch(new URL(path, host.plainUrl), { headers })
    expect(response.status).toBe(status)
    await response.arrayBuffer()
  })

  it('puts what many pushes left into few packs', async () => {
    const { host, directory } = await start({ tidyEvery: 4 })
    const clone = join(directory, 'clone')
    await git('clone', '-q', host.url, clone)
    for (let count = 1; count <= 8; count++) {
      await git(
        '-C',
        clone,
        '-c',
        'user.name=a',
        '-c',
        'user.email=b',
        'commit',
        '-q',
        '--allow-empty',
        '-m',
        `${count}`,
      )
      await git('-C', clone, 'push', '-q', 'origin', 'HEAD:main')
    }
    const packs = async () => (await readdir(join(host.path, 'objects/pack'))).filter((name) => name.endsWith('.pack'))
    await expect.poll(async () => (await packs()).length, { timeout: 10_000 }).toBeLessThan(5)
    expect(await git(`--git-dir=${host.path}`, 'rev-list', '--count', 'main')).toBe('8')
    await git(`--git-dir=${host.path}`, 'fsck', '--strict')
  })

  it.each(['0', '1', '2'])('speaks version %s of the protocol', async (version) => {
    const { host, directory } = await start()
    await mkdir(join(directory, 'files'))
    await writeFile(join(directory, 'files', 'a.yaml'), 'a: 1\n')
    await seedFleet(directory, join(directory, 'files'))
    const clone = join(directory, 'clone')
    await git('-c', `protocol.version=${version}`, 'clone', '-q', host.url, clone)
    // With so much to say about what it has, the client packs its question.
    const commit = ['-c', 'user.name=a', '-c', 'user.email=b', 'commit', '-q', '--allow-empty', '-m']
    for (let count = 0; count < 20; count++) await git('-C', clone, ...commit, `${count}`)
    await git('-C', clone, 'push', '-q', 'origin', 'HEAD:main')
    await git('-C', clone, 'reset', '-q', '--hard', 'HEAD~10')
    await git('-C', clone, ...commit, 'another')
    await git('-C', clone, '-c', `protocol.version=${version}`, 'fetch', '-q', 'origin')
    expect(await git('-C', clone, 'rev-list', '--count', 'origin/main')).toBe('21')
  })

  it('asks git only once what it can do by protocol 2: that never changes', async () => {
    const { host } = await start()
    const ask = async (protocol: string) => {
      const url = new URL('/fleet.git/info/refs?service=git-upload-pack', host.plainUrl)
      const headers = { authorization: 'Bearer t/o+ken', 'git-protocol': protocol }
      const answer = await fetch(url, { headers })
      return [answer.status, answer.headers.get('content-type'), await answer.text()]
    }
    const greeting = await ask('version=2')
    expect(greeting).toEqual([200, 'application/x-git-upload-pack-advertisement', expect.stringContaining('ls-refs')])
    await rename(host.path, `${host.path}.away`)
    expect(await ask('version=2')).toEqual(greeting)
    expect((await ask('version=1'))[0]).toBe(404)
  })

  it('lets no git wait for a client that breaks off, in what it sends or in what it gets', async () => {
    const { host, directory } = await start()
    const clone = join(directory, 'clone')
    await git('clone', '-q', host.url, clone)
    await writeFile(join(clone, 'big.bin'), randomBytes(20_000_000))
    await git('-C', clone, 'add', '.')
    await git('-C', clone, '-c', 'user.name=a', '-c', 'user.email=b', 'commit', '-q', '-m', 'first')
    await git('-C', clone, 'push', '-q', 'origin', 'HEAD:main')
    const half = post(host.plainUrl, 'git-receive-pack', { 'content-length': 1_000 })
    half.write('00')
    await vi.waitUntil(async () => (await serving('receive-pack')) === 1, 10_000)
    half.destroy()
    await vi.waitUntil(async () => (await serving('receive-pack')) === 0, 10_000)
    const asking = post(host.plainUrl, 'git-upload-pack')
    asking.end(`0032want ${await git('-C', clone, 'rev-parse', 'HEAD')}\n00000009done\n`)
    const [answer] = (await once(asking, 'response')) as [IncomingMessage]
    answer.pause()
    expect(await serving('upload-pack')).toBe(1)
    asking.destroy()
    await vi.waitUntil(async () => (await serving('upload-pack')) === 0, 10_000)
  })

  it('makes a push that has come whole, though nobody waits for it any more', async () => {
    const { host, directory } = await start()
    const clone = join(directory, 'clone')
    await git('clone', '-q', host.url, clone)
    await git('-C', clone, '-c', 'user.name=a', '-c', 'user.email=b', 'commit', '-q', '--allow-empty', '-m', 'first')
    const looked = join(directory, 'looked')
    await mkdir(join(host.path, 'hooks'), { recursive: true })
    await writeFile(join(host.path, 'hooks', 'pre-receive'), `#!/bin/sh\ntouch '${looked}'; sleep 1\n`, { mode: 0o755 })
    const pushing = execute('git', ['-C', clone, 'push', '-q', 'origin', 'HEAD:main'])
    await vi.waitUntil(() => existsSync(looked), 10_000)
    pushing.child.kill()
    await expect(pushing).rejects.toThrow()
    await vi.waitUntil(async () => (await serving('receive-pack')) === 0, 10_000)
    expect(await git(`--git-dir=${host.path}`, 'rev-parse', 'main')).toBe(await git('-C', clone, 'rev-parse', 'HEAD'))
  })

  it('goes on after it could not start git', async () => {
    const bin = await mkdtemp(join(tmpdir(), 'drover-bin-'))
    onTestFinished(() => rm(bin, { recursive: true, force: true }))
    const { stdout } = await execute('which', ['git'])
    const link = () => symlink(stdout.trim(), join(bin, 'git'))
    await link()
    const { host } = await start({ env: { PATH: bin } })
    const ask = (name: string, protocol: string) =>
      fetch(new URL(`/fleet.git/info/refs?service=${name}`, host.plainUrl), {
        headers: { authorization: 'Bearer t/o+ken', 'git-protocol': protocol },
      })
    await rm(join(bin, 'git'))
    await expect(ask('git-upload-pack', 'version=2')).rejects.toThrow('fetch failed')
    await expect(ask('git-receive-pack', 'version=1').then((answer) => answer.text())).rejects.toThrow()
    await link()
    expect(await (await ask('git-upload-pack', 'version=2')).text()).toContain('ls-refs')
    expect((await ask('git-receive-pack', 'version=1')).status).toBe(200)
  })

  it('goes on with the repository that is there, on the port it is asked for', async () => {
    const { host, directory } = await start()
    await mkdir(join(directory, 'files', 'vms'), { recursive: true })
    await writeFile(join(directory, 'files', 'vms', 'a.yaml'), 'a: 1\n')
    await seedFleet(directory, join(directory, 'files'))
    const head = await git(`--git-dir=${host.path}`, 'rev-parse', 'main')
    const port = Number(new URL(host.plainUrl).port)
    await host.close()
    const again = await startGitHost({ directory, token: 'other', port })
    onTestFinished(() => again.close())
    expect([new URL(again.url).port, await git('ls-remote', again.url, 'main')]).toEqual([
      String(port),
      `${head}\trefs/heads/main`,
    ])
  })
})

describe('seedFleet', () => {
  it('commits all files of a folder once, as they are', async () => {
    const { host, directory } = await start()
    const folder = join(directory, 'files')
    await mkdir(join(folder, 'templates', '.hidden'), { recursive: true })
    await writeFile(join(folder, 'templates', 'small server.yaml'), 'cpu: 2\n')
    await writeFile(join(folder, 'templates', '.hidden', '"b"'), Buffer.from([0, 255, 10, 13]))
    expect(await seedFleet(host.path, folder)).toBe(true)
    await writeFile(join(folder, 'late.yaml'), 'x')
    expect(await seedFleet(directory, folder)).toBe(false)
    const clone = join(directory, 'clone')
    await git('clone', '-q', host.url, clone)
    expect(await readFile(join(clone, 'templates', 'small server.yaml'), 'utf8')).toBe('cpu: 2\n')
    expect([...(await readFile(join(clone, 'templates', '.hidden', '"b"')))]).toEqual([0, 255, 10, 13])
    expect(await git('-C', clone, 'log', '--format=%an: %s')).toBe('Drover: Begin the fleet')
    expect(await git('-C', clone, 'ls-files')).not.toContain('late.yaml')
  })

  it('says it when git cannot take the files', async () => {
    const { directory } = await start()
    await expect(seedFleet(join(directory, 'nowhere'), directory)).rejects.toThrow('nowhere')
  })
})
