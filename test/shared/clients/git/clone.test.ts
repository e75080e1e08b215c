import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Clone } from '../../../../shared/clients/git/clone.ts'
import { openObjects } from '../../../../shared/clients/git/objects.ts'
import type { GitResult } from '../../../../shared/clients/git/process.ts'
import { tidier } from '../../../../shared/clients/git/tidy.ts'
import { mostBytes } from '../../../../shared/file-size.ts'
import { mirror } from '../../../security/mirror.ts'
import { startFront } from './front.ts'
import { counting, makeWorld, openIn, type World } from './world.ts'

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index)

async function packsOf({ directory }: World): Promise<string[]> {
  const [name = ''] = await readdir(join(directory, 'cache'))
  return (await readdir(join(directory, 'cache', name, 'objects', 'pack'))).filter((file) => file.endsWith('.pack'))
}

const manyFiles = Object.fromEntries(numbers(60).map((number) => [`vms/${number}/values.yaml`, `number: ${number}\n`]))

/** A command in a clone, as its client would run it. */
async function gitIn(directory: string, args: readonly string[]): Promise<GitResult> {
  const now = args.map((arg) => arg.replace(/=(?:3000|60)$/, '=2'))
  const running = promisify(execFile)('git', [`--git-dir=${directory}`, ...now])
  return running.then(
    ({ stdout, stderr }) => ({ code: 0, timedOut: false, stdout, stderr }),
    ({ code, stdout, stderr }) => ({ code, timedOut: false, stdout, stderr }),
  )
}

/** Files of a world's clone that are gone and that some process still has. */
function deletedFilesOf({ directory }: World): string[] {
  const maps = readdirSync('/proc').flatMap((pid) => {
    try {
      return /^\d+$/.test(pid) ? readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n') : []
    } catch {
      return []
    }
  })
  return maps.filter((line) => line.includes(directory) && line.endsWith('(deleted)'))
}

/** Tidies up at once, whatever there is. */
const tidierOf = (clone: Clone) =>
  tidier(1, {
    git: (args) => clone.git(args.map((arg) => arg.replace(/=(?:3000|60)$/, '=2'))),
    tidied: () => undefined,
    remake: clone.remake,
  })

describe('openClone', () => {
  it('fetches no file before it is read, and those that are read together in one go', async () => {
    const world = await makeWorld()
    await world.commitBehind(manyFiles)
    const clone = openIn(world)
    const tree = await openObjects(clone).at(await clone.fetch())
    expect(await packsOf(world)).toHaveLength(1)
    const texts = await Promise.all(Object.keys(manyFiles).map((path) => tree.read(path)))
    expect(texts).toEqual(Object.values(manyFiles))
    expect((await packsOf(world)).length).toBeLessThan(5)
  })

  it('fetches files in one go again, ten minutes after the server refused to three times', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    onTestFinished(() => void vi.useRealTimers())
    const world = await makeWorld()
    await world.commitBehind({ a: '1', b: '2' })
    const clone = openIn(world)
    await clone.fetch()
    const files = [await world.git('rev-parse', 'main:a'), await world.git('rev-parse', 'main:b')]
    for (const _ of numbers(3)) await clone.prefetch(['4'.repeat(40)])
    await clone.prefetch(files)
    expect(await packsOf(world)).toHaveLength(1)
    vi.advanceTimersByTime(600_000)
    await clone.prefetch(files)
    expect(await packsOf(world)).toHaveLength(2)
  })

  it('has what is new on the branch as a fetch would have it, and goes on from there', async () => {
    const world = await makeWorld()
    await world.commitBehind(manyFiles)
    const clone = openIn(world)
    await clone.fetch()
    for (const number of ['1', '2']) {
      const tip = await world.commitBehind({ 'vms/3/values.yaml': number, [`new/${number}`]: number.repeat(70_000) })
      expect(await clone.fetch()).toEqual({ commit: tip })
      expect((await clone.git(['rev-parse', 'refs/remotes/origin/main'])).stdout.trim()).toBe(tip)
      const asked = world.host.answered.length
      const tree = await openObjects(clone).at({ commit: tip })
      expect(await tree.read('vms/3/values.yaml')).toBe(number)
      expect(world.host.answered).toHaveLength(asked)
      expect((await tree.read(`new/${number}`))?.length).toBe(70_000)
      expect(world.host.answered.length).toBeGreaterThan(asked)
    }
    expect((await clone.git(['fsck', '--connectivity-only'])).code).toBe(0)
  })

  it('has what a merge brings that began before its own history', async () => {
    const world = await makeWorld()
    const commit = async (tree: string, ...parents: string[]) => {
      const by = ['-c', 'user.name=Somebody', '-c', 'user.email=somebody@example.com']
      return world.git(
        ...by,
        'commit-tree',
        '-m',
        'by hand',
        ...parents.flatMap((one) => ['-p', one]),
        `${tree}^{tree}`,
      )
    }
    const first = await world.commitBehind({ a: '1' })
    const second = await world.commitBehind({ a: '2' })
    const clone = openIn(world)
    expect(await clone.fetch()).toEqual({ commit: second })
    const merged = await commit(second, second, await commit(first, first))
    await world.git('update-ref', 'refs/heads/main', merged)
    expect(await clone.fetch()).toEqual({ commit: merged })
    const { code, stdout } = await clone.git(['rev-list', merged])
    expect([code, stdout.trim().split('\n').length]).toEqual([0, 4])
  })

  it('follows no branch when it fetches older commits, so that whatever else follows it is not in the way', async () => {
    const world = await makeWorld()
    await world.commitBehind({ a: '1' })
    const tip = await world.commitBehind({ a: '2' })
    const clone = openIn(world)
    await clone.fetch()
    await world.commitBehind({ a: '3' })
    expect((await clone.deepen(Math.floor(Date.now() / 1_000) - 86_400, tip)).code).toBe(0)
    expect((await clone.git(['rev-parse', 'refs/remotes/origin/main'])).stdout.trim()).toBe(tip)
    expect((await clone.git(['rev-list', tip])).stdout.trim().split('\n')).toHaveLength(2)
  })

  it('reads files of any size up to the largest, many at once, each its own', async () => {
    const world = await makeWorld()
    const sizes = [0, 1, 65_535, 65_536, 65_537, 1_000_000, mostBytes]
    const files = Object.fromEntries(sizes.map((size) => [`f${size}`, `${size}\n`.repeat(size).slice(0, size)]))
    await world.commitBehind(files)
    const clone = openIn(world)
    const tree = await openObjects(clone).at(await clone.fetch())
    const texts = await Promise.all(sizes.map((size) => tree.read(`f${size}`)))
    expect(texts.map((text, index) => text === files[`f${sizes[index]}`])).toEqual(sizes.map(() => true))
  })

  it.each([
    ['over HTTP', (world: World) => world.host.plainUrl],
    ['as a plain folder', (world: World) => `file://${world.host.path}`],
  ])('works with a server that knows no partial clones, %s', async (_, url) => {
    const settings = { 'uploadpack.allowFilter': 'false', 'uploadpack.allowAnySHA1InWant': 'false' }
    const world = await makeWorld({ settings })
    await world.commitBehind(manyFiles)
    const clone = openIn(world, url(world))
    const tree = await openObjects(clone).at(await clone.fetch())
    expect(await Promise.all(Object.keys(manyFiles).map((path) => tree.read(path)))).toEqual(Object.values(manyFiles))
    await world.commitBehind({ later: 'x' })
    expect(await (await openObjects(clone).at(await clone.fetch())).read('later')).toBe('x')
  })

  it('reads on while Git tidies up', async () => {
    const world = await makeWorld()
    await world.commitBehind(manyFiles)
    const clone = openIn(world)
    const tree = await openObjects(clone).at(await clone.fetch())
    const paths = Object.keys(manyFiles)
    for (const path of paths.slice(0, 10)) await tree.read(path)
    const tidy = tidierOf(clone)
    expect((await packsOf(world)).length).toBeGreaterThan(10)
    await Promise.all([tidy(), ...paths.slice(10, 20).map((path) => tree.read(path))])
    await tidy()
    expect((await packsOf(world)).length).toBeLessThan(5)
    expect(clone.remakes).toBe(0)
    expect(await tree.read(paths[40] ?? '')).toBe('number: 40\n')
    await world.commitBehind({ later: 'x' })
    expect(await (await openObjects(clone).at(await clone.fetch())).read('later')).toBe('x')
  })

  it.each([
    ['of its own', async () => undefined],
    ['of others', (world: World) => world.commitBehind({ 'by-others': 'x' })],
  ])(
    'is tidied up by Git as well where the newest commit is one %s, and keeps those that it made',
    async (_, after) => {
      const world = await makeWorld()
      await world.commitBehind(manyFiles)
      const fleet = world.open()
      for (const number of numbers(12)) await fleet.transact(counting(`r${number}`))
      await after(world)
      await fleet.head()
      const [name = ''] = await readdir(join(world.directory, 'cache'))
      const git = (args: readonly string[]) => gitIn(join(world.directory, 'cache', name), args)
      const remade: string[] = []
      const tidy = tidier(1, { git, tidied: () => undefined, remake: async (why) => remade.push(why) })
      expect((await packsOf(world)).length).toBeGreaterThan(10)
      await tidy()
      expect((await packsOf(world)).length).toBeLessThan(4)
      expect((await git(['count-objects', '-v'])).stdout).toContain('count: 0\n')
      expect(remade).toEqual([])
      await fleet.transact(counting('later'))
      expect(await world.git('show', 'main:counter')).toBe('13')
      expect(world.warnings).toEqual([])
    },
  )

  it('is made anew where Git cannot tidy it up, and after it has been used for long', async () => {
    const answer = { code: 0, timedOut: false, stdout: '', stderr: '' }
    let result: GitResult = answer
    let tidied = 0
    const remade: string[] = []
    const tidy = tidier(1, {
      git: async () => result,
      tidied: () => (tidied += 1),
      remake: async (why) => remade.push(why),
    })
    for (const _ of numbers(39)) await tidy()
    expect([tidied, remade]).toEqual([39, []])
    await tidy()
    result = { ...answer, code: 128, stderr: 'fatal: failed to run repack' }
    await tidy()
    expect([tidied, remade]).toEqual([
      39,
      ['it has been used for long', 'git cannot tidy it up: fatal: failed to run repack'],
    ])
  })

  it('holds no file open that Git has put together with others', { skip: process.platform !== 'linux' }, async () => {
    const world = await makeWorld()
    await world.commitBehind(manyFiles)
    const clone = openIn(world)
    const tree = await openObjects(clone).at(await clone.fetch())
    for (const path of Object.keys(manyFiles).slice(0, 10)) await tree.read(path)
    await clone.git(['-c', 'repack.writeBitmaps=false', 'gc', '--quiet'])
    expect(deletedFilesOf(world)).not.toEqual([])
    // Every so often it tidies up by itself.
    for (const _ of numbers(250)) clone.advance(await world.git('rev-parse', 'main'))
    await expect.poll(() => deletedFilesOf(world), { timeout: 20_000 }).toEqual([])
    expect(await tree.read('vms/3/values.yaml')).toBe('number: 3\n')
  })

  it('has the whole history of a server that cannot be asked for what is later than a time, as Azure Repos', async () => {
    const world = await makeWorld()
    const first = await world.commitBehind({ a: '1' })
    for (const number of numbers(3)) await world.commitBehind({ a: `${number}` })
    const azure = await startFront(world.host.plainUrl, { withoutSince: true })
    const clone = openIn(world, azure.url)
    const { commit = '' } = await clone.fetch()
    for (const _ of numbers(2)) {
      expect(await clone.deepen(Math.floor(Date.now() / 1_000) - 86_400, commit)).toMatchObject({ code: 0 })
      expect((await clone.git(['rev-list', commit])).stdout.trim().split('\n').at(-1)).toBe(first)
    }
  })

  it('brings no more than the newest commit when the first time failed', async () => {
    const world = await makeWorld()
    await world.commitBehind({ a: '1' })
    await world.commitBehind({ a: '2' })
    const { origin, pathname } = new URL(world.host.plainUrl)
    const front = await mirror(origin)
    onTestFinished(() => front.close())
    front.refuse(502, 1, /^POST/)
    const clone = openIn(world, `${front.url}${pathname}`)
    const { commit = '' } = await clone.fetch()
    expect((await clone.git(['rev-list', commit])).stdout.trim().split('\n')).toHaveLength(1)
    expect(front.refused()).toBe(1)
  })

  it('believes what it knows the longer the less others commit', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    onTestFinished(() => void vi.useRealTimers())
    const world = await makeWorld()
    await world.commitBehind({ a: '1' })
    const clone = openIn(world)
    const knowsAfter = (milliseconds: number) => {
      vi.advanceTimersByTime(milliseconds)
      return clone.newest !== undefined
    }
    await clone.fetch()
    expect([knowsAfter(29), knowsAfter(2)]).toEqual([true, false])
    for (const _ of numbers(7)) await clone.fetch()
    expect([knowsAfter(999), knowsAfter(2)]).toEqual([true, false])
    await world.commitBehind({ a: '2' })
    await clone.fetch()
    expect([knowsAfter(29), knowsAfter(2)]).toEqual([true, false])
  })

  it('sweeps what dead processes left, and nothing of the living', async () => {
    const world = await makeWorld()
    const cache = join(world.directory, 'cache')
    const left = ['4194999-0a.git', `${process.pid}-0b.git`]
    for (const name of [...left, '1-0c.git', 'precious', 'fleet.git'])
      await mkdir(join(cache, name), { recursive: true })
    const clones = [openIn(world), openIn(world)]
    for (const clone of clones) await clone.fetch()
    const names = await readdir(cache)
    expect(names).toEqual(expect.arrayContaining(['1-0c.git', 'precious', 'fleet.git']))
    expect(names.filter((name) => left.includes(name))).toEqual([])
    expect(names).toHaveLength(5)
  })
})
