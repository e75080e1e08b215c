import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it, vi } from 'vitest'
import { makeAuthority } from '../../../local/clusters/certificate.ts'
import type { FleetConfig } from '../../../shared/clients/git.ts'
import type { DroverError } from '../../../shared/errors.ts'
import type { Fleet } from '../../../shared/fleet.ts'
import { type Line, openLine } from './git/line.ts'
import { missing, startSshd } from './git/sshd.ts'
import { counting, makeWorld, type World, writing } from './git/world.ts'

const execute = promisify(execFile)

vi.setConfig({ testTimeout: 120_000 })

type Way = 'http' | 'https' | 'ssh'

interface Reached {
  world: World
  line: Line
  open(config?: Partial<FleetConfig>): Fleet
}

/** A Git server, and a line to it that can fail. */
async function reach(way: Way): Promise<Reached> {
  const { certificate, issueFor } = makeAuthority('Test')
  const world = await makeWorld(way === 'https' ? { tls: issueFor(['127.0.0.1']) } : {})
  const caFile = join(world.directory, 'ca.pem')
  await writeFile(caFile, certificate)
  if (way !== 'ssh') {
    const { port, pathname } = new URL(world.host.plainUrl)
    const line = await openLine(Number(port))
    const url = `${way}://127.0.0.1:${line.port}${pathname}`
    return { world, line, open: (config) => world.open({ url, caFile, ...config }) }
  }
  const sshd = await startSshd()
  const line = await openLine(sshd.port)
  const knownHostsFile = join(world.directory, 'known_hosts')
  await writeFile(knownHostsFile, await sshd.knownHosts(line.port))
  const ssh = { keyFile: await sshd.makeKey('drover'), knownHostsFile }
  const url = sshd.url(world.host.path, line.port)
  return { world, line, open: (config) => world.open({ url, ssh, ...config }) }
}

/** Holds the server when it has moved the branch and has not answered yet. */
async function holdAnswer({ host, directory }: World): Promise<{ landed(): Promise<void>; goOn(): Promise<void> }> {
  const [landed, go] = [join(directory, 'landed'), join(directory, 'go')]
  await execute('mkfifo', [landed, go])
  await mkdir(join(host.path, 'hooks'), { recursive: true })
  const script = `#!/bin/sh\n[ "$1" = committed ] || exit 0\nrm "$0"\necho >'${landed}'\nread line <'${go}'\n`
  await writeFile(join(host.path, 'hooks', 'reference-transaction'), script, { mode: 0o755 })
  return {
    landed: async () => void (await readFile(landed)),
    goOn: () => writeFile(go, '\n'),
  }
}

const counts = ({ git }: World) => Promise.all([git('show', 'main:counter'), git('rev-list', '--count', 'main')])

describe.each<Way>(['http', 'https', 'ssh'])('openFleet, over a line that fails, by %s', (way) => {
  it('makes its commit once when the line goes before the answer', async ({ skip }) => {
    skip(way === 'ssh' && missing !== undefined, missing)
    const { world, line, open } = await reach(way)
    const fleet = open()
    await fleet.transact(counting('first'))
    const answer = await holdAnswer(world)
    const transacting = fleet.transact(counting('a'))
    await answer.landed()
    const landed = await world.git('rev-parse', 'main')
    line.cut()
    await answer.goOn()
    expect(await transacting).toMatchObject({ revision: landed, created: true, value: 2 })
    expect(await counts(world)).toEqual(['2', '2'])
  })

  it('makes its commit once when the line goes in the middle of a push', async ({ skip }) => {
    skip(way === 'ssh' && missing !== undefined, missing)
    const { world, line, open } = await reach(way)
    const fleet = open()
    await fleet.transact(counting('first'))
    line.cutAfter(500_000)
    const large = randomBytes(2_000_000).toString('base64')
    const { revision } = await fleet.transact(writing({ large, counter: '2' }))
    expect(line.cuts).toBe(1)
    expect(await world.git('rev-parse', 'main')).toBe(revision)
    expect(await counts(world)).toEqual(['2', '2'])
    expect(await world.git('cat-file', '-s', 'main:large')).toBe(String(large.length))
  })

  it('reads what is new when the line goes in the middle of it', async ({ skip }) => {
    skip(way === 'ssh' && missing !== undefined, missing)
    const { world, line, open } = await reach(way)
    await world.commitBehind({ first: '1' })
    const fleet = open()
    await fleet.head()
    const files = Object.fromEntries(
      Array.from({ length: 20 }, (_, index) => [`f${index}`, randomBytes(30_000).toString('hex')]),
    )
    await world.commitBehind(files)
    line.cutAnswerAfter(200_000)
    const reading = fleet.head()
    // By SSH there is nothing else that could do it, and whoever asked does it again.
    const tree = way === 'ssh' ? await reading.catch(() => fleet.head()) : await reading
    expect(line.cuts).toBe(1)
    expect(await Promise.all(Object.keys(files).map((path) => tree.read(path)))).toEqual(Object.values(files))
    await world.commitBehind({ first: '2' })
    expect(await (await fleet.head()).read('first')).toBe('2')
  })

  it('waits no longer than it may for a server that never answers, and makes its commit once it does', async ({
    skip,
  }) => {
    skip(way === 'ssh' && missing !== undefined, missing)
    const { world, line, open } = await reach(way)
    const limit = way === 'ssh' ? 8_000 : 4_000
    const timeouts = { clone: limit, fetch: limit, push: limit }
    const fresh = open({ timeouts })
    const warm = open({ timeouts, patience: 1 })
    await warm.transact(counting('first'))
    line.hang()
    const calls = [fresh.head(), warm.transact(counting('a'))]
    for (const result of await Promise.allSettled(calls)) {
      const error = ('reason' in result ? result.reason : undefined) as DroverError
      expect([error?.reason, error?.message]).toEqual([
        'busy',
        expect.stringMatching(/^Cannot \w+ (?:to )?the fleet repository: the Git server did not answer in time$/),
      ])
    }
    const { stdout } = await execute('ps', ['-eo', 'args'])
    expect(stdout.split('\n').filter((one) => one.includes(`127.0.0.1:${line.port}`))).toEqual([])
    line.mend()
    await warm.transact(counting('a'))
    expect((await fresh.head()).revision).toBe(await world.git('rev-parse', 'main'))
    expect(await counts(world)).toEqual(['2', '2'])
  })

  it('goes on when a server that hung in the middle of a push has come back', async ({ skip }) => {
    skip(way === 'ssh' && missing !== undefined, missing)
    const { world, line, open } = await reach(way)
    const fleet = open({ timeouts: { push: 4_000, fetch: 10_000 } })
    await fleet.transact(counting('first'))
    const answer = await holdAnswer(world)
    const transacting = fleet.transact(counting('a'))
    await answer.landed()
    line.hang()
    await answer.goOn()
    setTimeout(() => line.mend(), 5_000)
    expect(await transacting).toMatchObject({ created: true, value: 2 })
    expect(await counts(world)).toEqual(['2', '2'])
  })
})
