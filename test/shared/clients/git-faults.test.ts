import { execFile } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import type { PushFault } from '../../../local/git/faults.ts'
import { environment } from '../../../shared/config.ts'
import { DroverError } from '../../../shared/errors.ts'
import type { Fleet } from '../../../shared/fleet.ts'
import { randomOf } from '../../prober/random.ts'
import { fullText } from './git/errors.ts'
import { counting, deciding, makeWorld, TOKEN, type World, writing } from './git/world.ts'

const execute = promisify(execFile)
const seed = environment()['DROVER_SEED'] ?? String(randomInt(1 << 30))
const thrown = (error: unknown) => error as DroverError

async function hook({ host }: World, name: string, script: string): Promise<void> {
  await mkdir(join(host.path, 'hooks'), { recursive: true })
  await writeFile(join(host.path, 'hooks', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
}

/** The processes that speak with the Git host, by their numbers. */
async function talking({ plainUrl }: World['host']): Promise<string[]> {
  const { stdout } = await execute('ps', ['-eo', 'pid,args'])
  const lines = stdout.split('\n').filter((line) => line.includes('remote-http') && line.includes(plainUrl))
  return lines.flatMap((line) => line.trim().split(' ')[0] ?? [])
}

/** The server takes no commit whose message has the word "bad". */
const declinesBad = (world: Parameters<typeof hook>[0]) =>
  hook(
    world,
    'pre-receive',
    'while read old new ref; do git log "$old..$new" --format=%B | grep -q bad && exit 1; done; exit 0',
  )

describe(`openFleet, when things go wrong (DROVER_SEED=${seed})`, () => {
  it('does not commit twice when the answer to a push is lost', async () => {
    const { open, host, git } = await makeWorld()
    const fleet = open()
    await fleet.transact(counting('first'))
    host.faults.push({ kind: 'lostAnswer' }, 3)
    for (const run of ['a', 'b', 'c']) expect((await fleet.transact(counting(run))).created).toBe(true)
    expect([await git('show', 'main:counter'), await git('rev-list', '--count', 'main')]).toEqual(['4', '4'])
  })

  it('makes each of 500 commits once whose answers are all lost, of two clients at once', {
    timeout: 300_000,
  }, async () => {
    const { open, host, git } = await makeWorld()
    host.faults.push({ kind: 'lostAnswer' }, 2_000)
    const fleets = [0, 1].map(() => open({ patience: 250_000, window: { runs: 10, milliseconds: 0 } }))
    const runs = Array.from({ length: 500 }, (_, index) => `r${index}`)
    const done = await Promise.all(runs.map((run, index) => fleets[index % 2]!.transact(counting(run))))
    expect(done.every(({ created }) => created)).toBe(true)
    expect([await git('show', 'main:counter'), await git('rev-list', '--count', 'main')]).toEqual(['500', '500'])
  })

  it.each([0, 10, 50, 90])(
    'makes each of 30 commits once where %i of 100 pushes go wrong',
    { timeout: 300_000 },
    async (rate) => {
      const { open, host, git } = await makeWorld()
      const { chance, of } = randomOf(seed, rate)
      const wrongs: [PushFault, ...PushFault[]] = [
        { kind: 'lostAnswer' },
        { kind: 'cut' },
        ...[429, 500, 502, 503, 504].map((status): PushFault => ({ kind: 'status', status })),
      ]
      for (let push = 0; push < 3_000; push++)
        host.faults.push(chance(rate / 100) ? of(wrongs) : { kind: 'delay', milliseconds: 0 })
      const commitAll = async (fleet: Fleet, client: string) => {
        for (let number = 0; number < 10; number++) await fleet.transact(counting(`${client}${number}`))
      }
      const fleets = ['a', 'b', 'c'].map((client) =>
        commitAll(open({ tries: 500, patience: 250_000, ratePause: 50 }), client),
      )
      await Promise.all(fleets)
      expect([await git('show', 'main:counter'), await git('rev-list', '--count', 'main')]).toEqual(['30', '30'])
    },
  )

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
    const fleet = open({ ratePause: 50 })
    host.faults.push({ kind: 'status', status }, 3)
    await fleet.transact(counting('a'))
    expect([await git('show', 'main:counter'), await git('rev-list', '--count', 'main')]).toEqual(['1', '1'])
  })

  it('leaves a server alone for a while that wants to be asked less often', async () => {
    const { open, host } = await makeWorld()
    const fleet = open({ ratePause: 2_000 })
    host.faults.push({ kind: 'status', status: 429 })
    const started = performance.now()
    const met = host.faults.taken()
    const committed = fleet.transact(counting('a'))
    await met
    const after = performance.now() - started
    await committed
    expect(performance.now() - started - after).toBeGreaterThan(1_900)
  })

  const unhurried = { timeout: 90_000 }
  it(
    'loses and doubles nothing when clients compete while the server, the network and people misbehave',
    unhurried,
    async () => {
      const { open, host, git, commitBehind } = await makeWorld()
      await commitBehind({ 'human.txt': '0' })
      const clients = [0, 1, 2].map(() =>
        open({ tries: 60, patience: 80_000, window: { runs: 4, milliseconds: 0 }, timeouts: { push: 1_000 } }),
      )
      const faults = ['lostAnswer', 'cut', 'lostAnswer', 'hang'] as const
      for (const kind of faults) {
        host.faults.push({ kind })
        host.faults.push({ kind: 'status', status: 500 })
        host.faults.push({ kind: 'delay', milliseconds: 20 })
      }
      const runs = Array.from({ length: 24 }, (_, index) => `r${index}`)
      const transacting = Promise.all(runs.map((run, index) => clients[index % 3]!.transact(counting(run))))
      for (const number of [1, 2, 3]) await commitBehind({ 'human.txt': String(number) }).catch(() => undefined)
      const done = await transacting
      expect(new Set(done.map(({ value }) => value)).size).toBe(runs.length)
      expect(await git('show', 'main:counter')).toBe(String(runs.length))
      const log = await git('log', '--format=%(trailers:key=Drover-Run,valueonly,separator=%x20)', 'main')
      expect(log.split('\n').filter(Boolean).sort()).toEqual([...runs].sort())
      for (const run of runs) expect(await git('show', `main:vms/${run}.txt`)).toBe(run)
    },
  )

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
    const fleet = open({ timeouts: { push: 2_000 } })
    host.faults.push({ kind: 'hang' })
    const met = host.faults.taken()
    const committed = fleet.transact(counting('a'))
    await met
    const hanging = await talking(host)
    expect(hanging).not.toEqual([])
    await committed
    expect([await git('show', 'main:counter'), await git('rev-list', '--count', 'main')]).toEqual(['1', '1'])
    expect((await talking(host)).filter((process) => hanging.includes(process))).toEqual([])
  })

  it('finds out that a push went through which took longer than it waits', async () => {
    const { open, host, git } = await makeWorld()
    const fleet = open({ timeouts: { push: 1_000 } })
    host.faults.push({ kind: 'delay', milliseconds: 3_000 })
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

  it('waits when the server is unwell while it looks at a push, and commits once', async () => {
    const world = await makeWorld()
    const fleet = world.open()
    const looks = join(world.host.path, 'looks')
    await hook(
      world,
      'pre-receive',
      `echo x >>'${looks}'; test $(wc -l <'${looks}') -gt 2 && exit 0; echo 'GitLab: 500 Internal Server Error' >&2; exit 1`,
    )
    expect((await fleet.transact(counting('a'))).created).toBe(true)
    expect([await world.git('show', 'main:counter'), await world.git('rev-list', '--count', 'main')]).toEqual([
      '1',
      '1',
    ])
    expect(world.warnings).toEqual([])
  })

  it('lets the others through when the server declines one commit of a group', async () => {
    const world = await makeWorld()
    const fleet = world.open()
    await fleet.transact(counting('first'))
    await declinesBad(world)
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

  it('answers the others of a group as if the commit that the server declines had never been', async () => {
    const world = await makeWorld()
    const fleet = world.open()
    await fleet.transact(counting('first'))
    await declinesBad(world)
    const late = deciding('late', async (tree) => {
      if ((await tree.read('name')) !== undefined) throw new DroverError('refused', 'the name is taken')
      return { changes: [{ path: 'name', content: 'late' }], value: 'late' }
    })
    const results = await Promise.allSettled([
      fleet.transact(writing({ name: 'bad' }, 'bad')),
      fleet.transact(deciding('idle', async (tree) => ({ nothing: true, value: await tree.read('name') }))),
      fleet.transact(late),
    ])
    expect(results).toMatchObject([
      { reason: { reason: 'refused', message: expect.stringContaining('the Git server declined it') } },
      { value: { created: false, value: undefined } },
      { value: { created: true, value: 'late' } },
    ])
    expect(await world.git('show', 'main:name')).toBe('late')
  })

  it('pushes by halves what is too large for the server together, and says so of what is too large alone', async () => {
    const { open, host, git } = await makeWorld()
    const fleet = open()
    await fleet.transact(counting('first'))
    host.faults.push({ kind: 'status', status: 413 }, 2)
    const results = await Promise.allSettled(['a', 'b'].map((run) => fleet.transact(counting(run))))
    expect(results).toMatchObject([
      {
        reason: {
          reason: 'broken',
          message: expect.stringContaining('the Git server takes no push of this size (413)'),
        },
      },
      { value: { created: true, value: 2 } },
    ])
    expect(await git('rev-list', '--count', 'main')).toBe('2')
  })

  it('lets those through that commit nothing when the branch is protected', async () => {
    const world = await makeWorld()
    const fleet = world.open()
    await fleet.transact(counting('first'))
    await hook(world, 'pre-receive', 'echo "GitLab: You are not allowed to push to protected branches" >&2; exit 1')
    const results = await Promise.allSettled([
      fleet.transact(counting('a')),
      fleet.transact(deciding('idle', async () => ({ nothing: true, value: 'idle' }))),
      fleet.transact(counting('b')),
    ])
    expect(results).toMatchObject([
      { reason: { reason: 'refused' } },
      { value: { created: false, value: 'idle' } },
      { reason: { reason: 'refused' } },
    ])
  })
})
