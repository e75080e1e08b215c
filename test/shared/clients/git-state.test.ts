import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { fillUp, mountDisk, noDisks } from './git/disk.ts'
import { rejection } from './git/errors.ts'
import { counting, deciding, makeWorld, TOKEN, type World, writing } from './git/world.ts'

const execute = promisify(execFile)

async function cloneOf({ directory }: World): Promise<string> {
  const [name = ''] = await readdir(join(directory, 'cache'))
  return join(directory, 'cache', name)
}

describe('openFleet, whatever state it finds', () => {
  it('refuses a branch that a repository with other branches does not have', async () => {
    const { open, commitBehind } = await makeWorld()
    await commitBehind({ a: 'a' })
    await expect(open({ branch: 'mian' }).transact(counting('a'))).rejects.toMatchObject({
      reason: 'broken',
      message: 'Cannot read the fleet repository: it has no branch "mian", but main',
    })
  })

  it.each(['with a commit', 'without any'])(
    'says of a repository with SHA-256 object names, %s, that it cannot use it',
    async (how) => {
      const { open, directory } = await makeWorld()
      const path = join(directory, 'sha256.git')
      const git = async (...args: string[]) =>
        (
          await execute('git', [`--git-dir=${path}`, '-c', 'user.name=h', '-c', 'user.email=h@localhost', ...args])
        ).stdout.trim()
      await execute('git', ['init', '--quiet', '--bare', '--object-format=sha256', path])
      if (how === 'with a commit') {
        const tree = await git('hash-object', '-w', '-t', 'tree', '/dev/null')
        await git('update-ref', 'refs/heads/main', await git('commit-tree', '-m', 'first', tree))
      }
      expect(await rejection(open({ url: `file://${path}` }).transact(counting('a')))).toMatchObject({
        reason: 'broken',
        message: expect.stringContaining('the repository has SHA-256 object names, and Drover wants SHA-1'),
      })
    },
  )

  it('refuses to search since a time that is none', async () => {
    const { open } = await makeWorld()
    await expect(open().find('r', 's', 'yesterday')).rejects.toThrow('"yesterday" is not a time, RFC 3339 was expected')
  })

  it.each<[string, (clone: string) => Promise<unknown>]>([
    ['whose objects are gone', (clone) => rm(join(clone, 'objects'), { recursive: true })],
    ['that is gone altogether', (clone) => rm(clone, { recursive: true })],
    ['with a broken configuration', (clone) => writeFile(join(clone, 'config'), '[core\n')],
    ['with a stale lock', (clone) => writeFile(join(clone, 'refs', 'remotes', 'origin', 'main.lock'), '')],
    ['whose branch is broken', (clone) => writeFile(join(clone, 'refs', 'remotes', 'origin', 'main'), 'rubbish\n')],
    [
      'in which a fetch was killed',
      async (clone) => {
        await writeFile(join(clone, 'objects/pack/tmp_pack_Xy12ab'), 'PACK')
        await writeFile(join(clone, 'objects/pack/tmp_idx_Xy12ab'), '')
        await writeFile(join(clone, 'shallow.lock'), '')
      },
    ],
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

  it.skipIf(noDisks)('makes room where its own clone has filled the disk', async () => {
    const world = await makeWorld()
    const disk = mountDisk(world.directory, 3_000_000)
    const names = Array.from({ length: 20 }, (_, index) => `large/${index}`)
    await world.commitBehind(Object.fromEntries(names.map((name) => [name, randomBytes(150_000).toString('hex')])))
    const fleet = world.open({ directory: disk })
    for (const name of names) {
      expect((await (await fleet.head()).read(name))?.length).toBe(300_000)
      await fleet.transact(counting(name))
    }
    expect(world.warnings.join('\n')).toContain('the clone of the fleet repository is made again')
    expect(await world.git('show', 'main:counter')).toBe('20')
  })

  it.skipIf(noDisks)('says that others have filled the disk, and works on when they have made room', async () => {
    const world = await makeWorld()
    await world.commitBehind({ counter: '10' })
    const disk = mountDisk(world.directory, 1_000_000)
    const fleet = world.open({ directory: disk, patience: 1_000 })
    const full = { reason: 'busy', message: expect.stringContaining('the disk that holds the clone is full') }
    await fillUp(join(disk, 'of-others'))
    expect(await rejection(fleet.transact(counting('a')))).toMatchObject(full)
    expect(await rejection(fleet.head())).toMatchObject(full)
    await rm(join(disk, 'of-others'))
    await fleet.transact(counting('a'))
    expect(await world.git('show', 'main:counter')).toBe('11')
  })

  it('finds what is in a history that was rewritten, and nothing else', async () => {
    const { open, git, commitBehind } = await makeWorld()
    const fleet = open()
    const since = new Date(0).toISOString()
    const kept = (await fleet.transact(counting('kept'))).revision
    const lost = (await fleet.transact(counting('lost'))).revision
    expect([await fleet.find('kept', 'commit', since), await fleet.find('lost', 'commit', since)]).toEqual([kept, lost])
    await git('update-ref', 'refs/heads/main', kept)
    await commitBehind({ human: 'x' })
    expect(await fleet.find('lost', 'commit', since)).toBeUndefined()
    expect(await fleet.find('kept', 'commit', since)).toBe(kept)
    const { revision } = await fleet.transact(counting('later'))
    expect(await fleet.find('later', 'commit', since)).toBe(revision)
    expect([await git('show', 'main:counter'), await git('show', 'main:human')]).toEqual(['2', 'x'])
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
    const seen: string[] = []
    const hasSeenPush = () => seen.some((words) => words.includes('receive-pack'))
    // On a busy machine one push may be over before anybody has looked.
    for (let run = 0; run < 20 && !hasSeenPush(); run += 1) {
      world.host.faults.push({ kind: 'hang' })
      let isDone = false
      const done = fleet.transact(counting(`run-${run}`)).then(() => {
        isDone = true
      })
      while (!isDone) seen.push((await execute('ps', ['-eo', 'args'])).stdout)
      await done
    }
    expect(hasSeenPush()).toBe(true)
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
    const fleet = open({ patience: 1_000 })
    let count = 0
    const losing = deciding('r', async () => {
      await commitBehind({ 'human.txt': String(count++) })
      return { changes: [{ path: 'mine', content: 'x' }], value: 0 }
    })
    await expect(fleet.transact(losing)).rejects.toMatchObject({
      reason: 'busy',
      message: expect.stringMatching(/^Cannot commit to the fleet repository: others committed first, \d+ times$/),
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
