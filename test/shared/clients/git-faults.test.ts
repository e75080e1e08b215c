import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import type { DroverError } from '../../../shared/errors.ts'
import { counting, deciding, makeWorld, TOKEN, type World, writing } from './git/world.ts'

const execute = promisify(execFile)
const thrown = (error: unknown) => error as DroverError

/** Everything that an error shows, its causes included. */
const fullText = (error: unknown): string =>
  error instanceof Error ? `${error.message} ${error.stack} ${fullText(error.cause)}` : JSON.stringify(error ?? '')

async function hook({ host }: World, name: string, script: string): Promise<void> {
  await mkdir(join(host.path, 'hooks'), { recursive: true })
  await writeFile(join(host.path, 'hooks', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
}

async function cloneOf({ directory }: World): Promise<string> {
  const [name = ''] = await readdir(join(directory, 'cache'))
  return join(directory, 'cache', name)
}

describe('openFleet, when things go wrong', () => {
  it('does not commit twice when the answer to a push is lost', async () => {
    const { open, host, git } = await makeWorld()
    const fleet = open()
    await fleet.transact(counting('first'))
    host.faults.push({ kind: 'lostAnswer' }, 3)
    for (const run of ['a', 'b', 'c']) expect((await fleet.transact(counting(run))).created).toBe(true)
    expect([await git('show', 'main:counter'), await git('rev-list', '--count', 'main')]).toEqual(['4', '4'])
  })

  it.each([
    ['', ''],
    [', even when the clone is lost with it', 'rm -rf CACHE/*/objects'],
  ])('finds its commit under the commits of others when the answer is lost%s', async (_, more) => {
    const world = await makeWorld()
    const fleet = world.open()
    await fleet.transact(counting('first'))
    await hook(
      world,
      'post-receive',
      `git fast-import --quiet --date-format=now <<'END'
commit refs/heads/main
committer Human <h@example.com> now
data 5
after
from refs/heads/main^0
M 100644 inline human.txt
data 4
text

END
${more.replace('CACHE', join(world.directory, 'cache'))}`,
    )
    world.host.faults.push({ kind: 'lostAnswer' })
    const { revision } = await fleet.transact(counting('a'))
    expect(await world.git('rev-parse', 'main^')).toBe(revision)
    expect([await world.git('show', 'main:counter'), await world.git('rev-list', '--count', 'main')]).toEqual([
      '2',
      '3',
    ])
    expect(world.warnings).toHaveLength(more === '' ? 0 : 1)
  })

  it.each([500, 429])('tries a push again that was answered %i', async (status) => {
    const { open, host, git } = await makeWorld()
    const fleet = open()
    host.faults.push({ kind: 'status', status }, 3)
    await fleet.transact(counting('a'))
    expect([await git('show', 'main:counter'), await git('rev-list', '--count', 'main')]).toEqual(['1', '1'])
  })

  it('loses and doubles nothing when clients compete while the server, the network and people misbehave', async () => {
    const { open, host, git, commitBehind } = await makeWorld()
    await commitBehind({ 'human.txt': '0' })
    const clients = [0, 1, 2].map(() =>
      open({ tries: 60, window: { runs: 4, milliseconds: 0 }, timeouts: { push: 1_000 } }),
    )
    const faults = ['lostAnswer', 'cut', 'lostAnswer', 'hang'] as const
    for (const kind of [...faults, ...faults]) {
      host.faults.push({ kind })
      host.faults.push({ kind: 'status', status: 500 })
      host.faults.push({ kind: 'delay', milliseconds: 20 })
    }
    const runs = Array.from({ length: 36 }, (_, index) => `r${index}`)
    const transacting = Promise.all(runs.map((run, index) => clients[index % 3]!.transact(counting(run))))
    for (const number of [1, 2, 3]) await commitBehind({ 'human.txt': String(number) }).catch(() => undefined)
    const done = await transacting
    expect(new Set(done.map(({ value }) => value)).size).toBe(runs.length)
    expect(await git('show', 'main:counter')).toBe(String(runs.length))
    const log = await git('log', '--format=%(trailers:key=Drover-Run,valueonly,separator=%x20)', 'main')
    expect(log.split('\n').filter(Boolean).sort()).toEqual([...runs].sort())
    for (const run of runs) expect(await git('show', `main:vms/${run}.txt`)).toBe(run)
  })

  it('rejects what is under way when it is closed', async () => {
    const { open, host } = await makeWorld()
    const fleet = open()
    await fleet.head()
    host.faults.push({ kind: 'hang' })
    const transacting = Promise.allSettled([fleet.transact(counting('a')), fleet.transact(counting('b'))])
    await host.faults.taken()
    await fleet.close()
    const message = 'Cannot use the fleet repository: the client is closed'
    expect(await transacting).toMatchObject([
      { reason: { reason: 'busy', message } },
      { reason: { reason: 'busy', message } },
    ])
  })

  it('refuses a branch that a repository with other branches does not have', async () => {
    const { open, commitBehind } = await makeWorld()
    await commitBehind({ a: 'a' })
    await expect(open({ branch: 'mian' }).transact(counting('a'))).rejects.toMatchObject({
      reason: 'broken',
      message: 'Cannot read the fleet repository: it has no branch "mian", but main',
    })
  })

  it('refuses to search since a time that is none', async () => {
    const { open } = await makeWorld()
    await expect(open().find('r', 's', 'yesterday')).rejects.toThrow('"yesterday" is not a time, RFC 3339 was expected')
  })

  it('gives up as busy when the server stays unwell, and works again afterwards', async () => {
    const { open, host, git } = await makeWorld()
    const fleet = open({ tries: 3 })
    host.faults.push({ kind: 'status', status: 503 }, 3)
    const error = thrown(await fleet.transact(counting('a')).catch((reason: unknown) => reason))
    expect([error.reason, error.message]).toEqual([
      'busy',
      'Cannot push to the fleet repository: the Git server answered 503',
    ])
    await fleet.transact(counting('a'))
    expect(await git('show', 'main:counter')).toBe('1')
  })

  it('ends a push that hangs, and makes the commit once', async () => {
    const { open, host, git } = await makeWorld()
    const fleet = open({ timeouts: { push: 300 } })
    host.faults.push({ kind: 'hang' })
    await fleet.transact(counting('a'))
    expect([await git('show', 'main:counter'), await git('rev-list', '--count', 'main')]).toEqual(['1', '1'])
    const { stdout } = await execute('ps', ['-eo', 'args'])
    expect(stdout.split('\n').filter((line) => line.includes('receive-pack') && line.includes(host.plainUrl))).toEqual(
      [],
    )
  })

  it('finds out that a push went through which took longer than it waits', async () => {
    const { open, host, git } = await makeWorld()
    const fleet = open({ timeouts: { push: 300 } })
    host.faults.push({ kind: 'delay', milliseconds: 2_000 })
    await fleet.transact(counting('a'))
    expect([await git('show', 'main:counter'), await git('rev-list', '--count', 'main')]).toEqual(['1', '1'])
  })

  it.each([
    [401, 'broken', 'the Git server does not accept our credentials'],
    [403, 'broken', 'the Git server forbids it (403)'],
    [404, 'broken', 'the Git server knows no such repository, or hides it from us'],
    [302, 'broken', 'the Git server redirects (302), its final address was expected'],
    [503, 'busy', 'the Git server answered 503'],
  ])('says it clearly when the server answers %i to everything', async (status, reason, why) => {
    const { open, host } = await makeWorld()
    host.faults.outage = status
    const fleet = open({ tries: 2 })
    const calls = [fleet.head(), fleet.transact(counting('a')), fleet.find('r', 's', '2020-01-01T00:00:00Z')]
    for (const result of await Promise.allSettled(calls)) {
      const error = thrown('reason' in result ? result.reason : undefined)
      expect([error.reason, error.message]).toEqual([reason, `Cannot read the fleet repository: ${why}`])
      expect(fullText(error)).not.toContain(TOKEN)
    }
  })

  it('says it clearly when nobody listens at the address', async () => {
    const { open } = await makeWorld()
    const fleet = open({ url: 'http://drover:secret-word@127.0.0.1:1/fleet.git', tries: 2 })
    const error = thrown(await fleet.head().catch((cause: unknown) => cause))
    expect([error.reason, error.message]).toEqual([
      'busy',
      'Cannot read the fleet repository: the Git server cannot be reached',
    ])
    expect(fullText(error)).not.toContain('secret-word')
  })

  it('refuses with the words of a server that declines, and shows no secret', async () => {
    const world = await makeWorld()
    const fleet = world.open()
    await hook(world, 'pre-receive', `echo "policy: ${TOKEN} no commits on Sundays" >&2; exit 1`)
    const error = thrown(await fleet.transact(counting('a')).catch((cause: unknown) => cause))
    expect([error.reason, error.message]).toEqual([
      'refused',
      'Cannot push to the fleet repository: the Git server declined it (pre-receive hook declined): policy: *** no commits on Sundays',
    ])
    expect(fullText(error)).not.toContain(TOKEN)
    expect(fullText(error)).not.toContain(Buffer.from(`x-access-token:${TOKEN}`).toString('base64'))
  })

  it('lets the others through when the server declines one commit of a group', async () => {
    const world = await makeWorld()
    const fleet = world.open()
    await fleet.transact(counting('first'))
    await hook(
      world,
      'pre-receive',
      'while read old new ref; do git log "$old..$new" --format=%B | grep -q bad && exit 1; done; exit 0',
    )
    const runs = ['a', 'b', 'bad', 'c', 'd']
    const results = await Promise.allSettled(runs.map((run) => fleet.transact(counting(run))))
    expect(results.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
    ])
    expect([await world.git('show', 'main:counter'), await world.git('rev-list', '--count', 'main')]).toEqual([
      '5',
      '5',
    ])
  })

  it.each<[string, (clone: string) => Promise<unknown>]>([
    ['whose objects are gone', (clone) => rm(join(clone, 'objects'), { recursive: true })],
    ['that is gone altogether', (clone) => rm(clone, { recursive: true })],
    ['with a broken configuration', (clone) => writeFile(join(clone, 'config'), '[core\n')],
    ['with a stale lock', (clone) => writeFile(join(clone, 'refs', 'remotes', 'origin', 'main.lock'), '')],
    ['whose branch is broken', (clone) => writeFile(join(clone, 'refs', 'remotes', 'origin', 'main'), 'rubbish\n')],
    [
      'with broken packs',
      async (clone) => {
        const packs = join(clone, 'objects', 'pack')
        for (const name of await readdir(packs)) {
          const bytes = await readFile(join(packs, name))
          await rm(join(packs, name))
          await writeFile(join(packs, name), name.endsWith('.pack') ? bytes.fill(7, 12) : bytes)
        }
      },
    ],
  ])('works on with a clone %s', async (_, damage) => {
    const world = await makeWorld()
    await world.commitBehind({ 'a/b/c': 'deep', counter: '10' })
    const fleet = world.open()
    const before = await fleet.head()
    await damage(await cloneOf(world))
    expect(await before.read('a/b/c')).toBe('deep')
    await fleet.transact(counting('x'))
    await world.commitBehind({ 'a/b/d': 'new' })
    const after = await fleet.head()
    expect([await after.read('a/b/c'), await after.read('a/b/d'), await after.read('counter')]).toEqual([
      'deep',
      'new',
      '11',
    ])
    expect(await world.git('rev-list', '--count', 'main')).toBe('3')
  })

  it('follows a branch that was removed and made anew', async () => {
    const { open, git, commitBehind } = await makeWorld()
    const fleet = open()
    await fleet.transact(counting('a'))
    await git('update-ref', '-d', 'refs/heads/main')
    expect(await (await fleet.head()).list('')).toEqual([])
    await commitBehind({ counter: '7' })
    await fleet.transact(counting('b'))
    expect(await git('show', 'main:counter')).toBe('8')
  })

  it.each([
    ['120000', 'link', 'a symbolic link', 'a folder', 'link/x'],
    ['120000', 'link', 'a symbolic link', 'a file', 'link'],
    ['160000', 'module', 'a submodule', 'a folder', 'module/x/y'],
    ['100644', 'plain', 'a file', 'a folder', 'plain/x'],
    ['040000', 'folder', 'a folder', 'a file', 'folder'],
  ])('refuses to write where a %s entry is in the way', async (mode, at, kind, wanted, path) => {
    const { open, git, host, commitBehind } = await makeWorld()
    const base = await commitBehind({ plain: 'p', 'folder/x': 'x', target: '/etc' })
    const oid = mode === '160000' ? base : await git('rev-parse', 'main:target')
    if (mode.startsWith('12') || mode.startsWith('16')) await put(host.path, `M ${mode} ${oid} ${at}\n`)
    const fleet = open()
    for (const content of ['text', null]) {
      await expect(fleet.transact(writing({ [path]: content }))).rejects.toMatchObject({
        reason: 'refused',
        message: `Cannot change "${path}" in the fleet repository: "${at}" is ${kind}, ${wanted} was expected`,
      })
    }
    expect(await (await fleet.head()).read('link')).toBeUndefined()
  })

  it('never shows the token to others on the machine', async () => {
    const world = await makeWorld()
    const fleet = world.open({ timeouts: { push: 500 } })
    await fleet.head()
    world.host.faults.push({ kind: 'hang' })
    const transacting = fleet.transact(counting('a'))
    const seen: string[] = []
    let isDone = false
    const done = transacting.then(() => {
      isDone = true
    })
    while (!isDone) seen.push((await execute('ps', ['-eo', 'args'])).stdout)
    await done
    expect(seen.join('')).toContain('receive-pack')
    expect(seen.join('').replaceAll('drover-git-', '')).not.toContain(TOKEN)
  })

  it('uses the token of the moment, also for objects that are fetched later', async () => {
    const world = await makeWorld()
    await world.commitBehind({ 'a.txt': 'one' })
    let token = 'wrong'
    const fleet = world.open({ token: async () => token })
    await expect(fleet.head()).rejects.toThrow(
      'Cannot read the fleet repository: the Git server does not accept our credentials',
    )
    token = TOKEN
    expect(await (await fleet.head()).read('a.txt')).toBe('one')
  })

  it('gives a value to each transaction even when its decide is asked many times', async () => {
    const { open, commitBehind } = await makeWorld()
    const fleet = open()
    await fleet.transact(counting('first'))
    let asked = 0
    const { value } = await fleet.transact(
      deciding('r', async (tree) => {
        if (asked++ < 4) await commitBehind({ 'human.txt': String(asked) })
        return { changes: [{ path: 'seen', content: (await tree.read('human.txt')) ?? '' }], value: asked }
      }),
    )
    expect(value).toBe(5)
    expect(await (await fleet.head()).read('seen')).toBe('4')
  })

  it('gives up as busy when others always come first', async () => {
    const { open, commitBehind } = await makeWorld()
    const fleet = open({ tries: 3 })
    let count = 0
    const losing = deciding('r', async () => {
      await commitBehind({ 'human.txt': String(count++) })
      return { changes: [{ path: 'mine', content: 'x' }], value: 0 }
    })
    await expect(fleet.transact(losing)).rejects.toMatchObject({
      reason: 'busy',
      message: 'Cannot commit to the fleet repository: others committed first, 3 times in a row',
    })
  })
})

async function put(path: string, command: string): Promise<void> {
  const running = execute('git', [`--git-dir=${path}`, 'fast-import', '--quiet', '--date-format=now'])
  running.child.stdin?.end(
    `commit refs/heads/main\ncommitter Human <h@example.com> now\ndata 4\nlink\nfrom refs/heads/main^0\n${command}\n`,
  )
  await running
}
