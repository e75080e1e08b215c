import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openFleet } from '../../../shared/clients/git.ts'
import { mostBytes } from '../../../shared/file-size.ts'
import { commitsPerPush } from '../../../shared/telemetry/metrics.ts'
import { rejection } from './git/errors.ts'
import { counting, deciding, makeWorld, TOKEN, writing } from './git/world.ts'

/** How many pushes there have been. */
const pushes = async () =>
  (await commitsPerPush.get()).values.find(({ metricName }) => metricName?.endsWith('_count'))?.value ?? 0

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index)

describe('openFleet', () => {
  it('makes the branch with the first commit of an empty repository', async () => {
    const { open, git } = await makeWorld()
    const fleet = open()
    const before = await fleet.head()
    expect([await before.list(''), await before.read('a.txt')]).toEqual([[], undefined])
    const { revision, created } = await fleet.transact(writing({ 'a.txt': 'one\n' }))
    expect(created).toBe(true)
    expect(await git('rev-parse', 'main')).toBe(revision)
    expect(await git('show', 'main:a.txt')).toBe('one')
  })

  it('reads text, blob ids and folders in Git order as of one commit', async () => {
    const { open, git, commitBehind } = await makeWorld()
    await commitBehind({ 'a/b/c.yaml': 'c: ü\n', 'a.txt': 'a', 'a/z': 'z', empty: '' })
    const tree = await open().head()
    await commitBehind({ 'a/b/c.yaml': 'later' })
    expect(await tree.read('a/b/c.yaml')).toBe('c: ü\n')
    expect(await tree.read('empty')).toBe('')
    expect([await tree.read('a/b'), await tree.read('a/b/none'), await tree.read('a.txt/x')]).toEqual([
      undefined,
      undefined,
      undefined,
    ])
    expect(await tree.oid('a.txt')).toBe(await git('rev-parse', 'main:a.txt'))
    expect((await tree.list('')).map(({ name, mode }) => `${mode} ${name}`)).toEqual([
      '100644 a.txt',
      '040000 a',
      '100644 empty',
    ])
    expect(await tree.list('nowhere')).toEqual([])
  })

  it('reads a blob by its id, also when the tree has it no more', async () => {
    const { open, git, commitBehind } = await makeWorld()
    await commitBehind({ 'a.txt': 'old' })
    const oid = await git('rev-parse', 'main:a.txt')
    await commitBehind({ 'a.txt': 'new' })
    const tree = await open().head()
    expect(await tree.blob(oid)).toBe('old')
    await expect(tree.blob('main:a.txt\n')).rejects.toThrow('a full object id was expected')
    await expect(tree.blob(tree.revision)).rejects.toThrow('it is a commit, a file was expected')
    await expect(tree.blob('1'.repeat(40))).rejects.toMatchObject({ reason: 'busy' })
  })

  it('reads no file that is larger than one may be, says which, and goes on with the others', async () => {
    const { open, git, commitBehind } = await makeWorld()
    const [large, most] = ['x'.repeat(9 * mostBytes), 'y'.repeat(mostBytes)]
    await commitBehind({ 'policy/large.yaml': large, 'most.yaml': most, 'a.txt': 'a', 'b.txt': 'b' })
    const tree = await open().head()
    const [refused, ...read] = await Promise.allSettled(
      ['policy/large.yaml', 'a.txt', 'most.yaml', 'b.txt'].map((path) => tree.read(path)),
    )
    expect(refused).toMatchObject({
      reason: {
        reason: 'refused',
        message: `Cannot read policy/large.yaml: it is ${large.length} bytes long, wanted at most ${mostBytes}`,
      },
    })
    expect(read.map((one) => one.status === 'fulfilled' && one.value)).toEqual(['a', most, 'b'])
    await expect(tree.blob(await git('rev-parse', 'main:policy/large.yaml'))).rejects.toThrow('bytes long, wanted')
    expect(await tree.read('a.txt')).toBe('a')
  })

  it('sees with head what was committed before the call, whoever committed it', async () => {
    const { open, commitBehind } = await makeWorld()
    const fleet = open()
    for (const number of numbers(5)) {
      const revision = await commitBehind({ 'n.txt': String(number) })
      const trees = await Promise.all([fleet.head(), fleet.head(), fleet.head()])
      expect(trees.map((tree) => tree.revision)).toEqual([revision, revision, revision])
      expect(await trees[2].read('n.txt')).toBe(String(number))
    }
  })

  it('writes author and trailers, each on one line whatever the values hold', async () => {
    const { open, git } = await makeWorld()
    const trailers = {
      run: 'r1\nDrover-Run: forged',
      step: 'commit',
      lifecycle: 'provision',
      requester: 'ann\r\n\r\nSigned-off-by: x',
    }
    await open().transact({ ...writing({ a: 'a' }), subject: 'Add "a"\n\nDrover-Run: forged', trailers })
    expect((await git('log', '-1', '--format=%an <%ae>%n%(trailers:only,unfold)')).trim()).toBe(
      [
        'Drover <drover@example.com>',
        'Drover-Run: r1 Drover-Run: forged',
        'Drover-Step: commit',
        'Drover-Lifecycle: provision',
        'Drover-Requester: ann Signed-off-by: x',
      ].join('\n'),
    )
    expect(await git('log', '-1', '--format=%s')).toBe('Add "a" Drover-Run: forged')
  })

  it('makes no commit when the changes leave the tree as it is', async () => {
    const { open, git } = await makeWorld()
    const fleet = open()
    const first = await fleet.transact(writing({ 'a.txt': 'one', 'b.txt': 'two' }))
    const again = await fleet.transact(writing({ 'a.txt': 'one', 'none.txt': null }))
    const nothing = await fleet.transact(deciding('r', async () => ({ nothing: true, value: 7 })))
    expect([again.created, again.revision]).toEqual([false, first.revision])
    expect(nothing).toEqual({ created: false, revision: first.revision, value: 7 })
    expect(await git('rev-list', '--count', 'main')).toBe('1')
  })

  it('makes a commit of no changes where it is to be a mark, and finds it', async () => {
    const { open, git } = await makeWorld()
    const fleet = open()
    await fleet.transact(writing({ 'a.txt': 'one' }))
    const [marked] = await Promise.all([
      fleet.transact(deciding('r1', async () => ({ changes: [], value: 7, mark: true }))),
      fleet.transact(writing({ 'b.txt': 'two' })),
    ])
    expect(marked).toMatchObject({ created: true, value: 7 })
    const since = new Date(Date.now() - 60_000).toISOString()
    expect(await open().find('r1', 'commit', since)).toBe(marked.revision)
    expect(await git('diff', '--name-only', `${marked.revision}~`, marked.revision)).toBe('')
    expect(await git('ls-tree', '-r', '--name-only', 'main')).toBe('a.txt\nb.txt')
  })

  it.each(['mark', 'file'] as const)('finds what is to go in the same push: a %s', async (what) => {
    const { open, git } = await makeWorld()
    const fleet = open()
    await fleet.transact(writing({ 'a.txt': 'one' }))
    const since = new Date(Date.now() - 60_000).toISOString()
    const once = async (run: string) =>
      deciding(run, async (tree) => {
        if (await fleet.find(run, 'commit', since, tree)) return { nothing: true, value: 'again' }
        const changes = what === 'file' ? [{ path: `${run}.txt`, content: run }] : []
        return { changes, value: 'first', mark: true }
      })
    const transactions = await Promise.all(['r1', 'r1', 'r2', 'r1'].map(once))
    const made = await Promise.all(transactions.map((one) => fleet.transact(one)))
    expect(made.map(({ value }) => value)).toEqual(['first', 'again', 'first', 'again'])
    expect(await git('rev-list', '--count', 'main')).toBe('3')
    // A transaction that failed has made nothing.
    const failing = deciding('r3', async () => ({ changes: [{ path: '../x', content: '' }], value: 'bad' }))
    const [bad, good] = await Promise.allSettled([fleet.transact(failing), fleet.transact(await once('r3'))])
    expect([bad.status, good.status === 'fulfilled' && good.value.value]).toEqual(['rejected', 'first'])
  })

  it('removes files, and the folders that become empty with them', async () => {
    const { open } = await makeWorld()
    const fleet = open()
    await fleet.transact(writing({ 'vms/a/one': '1', 'vms/a/two': '2', 'vms/b/one': '1' }))
    await fleet.transact(writing({ 'vms/a/one': null, 'vms/a/two': null }))
    expect((await (await fleet.head()).list('vms')).map(({ name }) => name)).toEqual(['b'])
  })

  it('writes any file name that is allowed and any text exactly', async () => {
    const { open, git } = await makeWorld()
    const text = '\ufeff"quoted"\\ \0 \u{1f404} no newline at the end'
    const { revision } = await open().transact(writing({ '"a b"/ü $(id) -x;.txt': text, '-dash': '' }))
    expect(await git('-c', 'core.quotePath=false', 'ls-tree', '-r', '-z', '--name-only', revision)).toBe(
      '"a b"/ü $(id) -x;.txt\0-dash\0',
    )
    expect(await git('cat-file', 'blob', `${revision}:"a b"/ü $(id) -x;.txt`)).toBe(text)
  })

  it('loses no update of 50 concurrent transactions, and pushes them in groups', async () => {
    const { open, git } = await makeWorld()
    const fleet = open()
    const done = await Promise.all(numbers(50).map((number) => fleet.transact(counting(`r${number}`))))
    expect(done.map(({ value }) => value)).toEqual(numbers(50).map((number) => number + 1))
    expect(new Set(done.map(({ revision }) => revision)).size).toBe(50)
    expect(await git('show', 'main:counter')).toBe('50')
    expect(await git('rev-list', '--count', 'main')).toBe('50')
    expect((await git('ls-tree', '--name-only', 'main:vms')).split('\n')).toHaveLength(50)
  })

  it('lets two clients compete without losing an update of either', async () => {
    const { open, git } = await makeWorld()
    const fleets = [open({ window: { runs: 3, milliseconds: 0 } }), open({ window: { runs: 2, milliseconds: 0 } })]
    await Promise.all(numbers(20).map((number) => fleets[number % 2]!.transact(counting(`r${number}`))))
    expect(await git('show', 'main:counter')).toBe('20')
    expect(await git('rev-list', '--count', 'main')).toBe('20')
  })

  it('lets others have their turn, however much one client pushes', async () => {
    const { open, git, directory } = await makeWorld()
    // Of two clients each is first now and then. To a third they left nothing.
    const [busy, ...others] = [
      open(),
      open({ directory: join(directory, 'b') }),
      open({ directory: join(directory, 'c') }),
    ]
    let isOver = false
    const pushing = (async () => {
      for (let count = 0; !isOver; count++) await busy.transact(counting(`busy-${count}`))
    })()
    const turns = others.map(async (other, index) => {
      for (const number of numbers(5)) await other.transact(counting(`other-${index}-${number}`))
    })
    await Promise.all(turns).finally(() => {
      isOver = true
    })
    await pushing
    for (const index of [0, 1]) expect(await git('show', `main:vms/other-${index}-4.txt`)).toBe(`other-${index}-4`)
  })

  it('decides again on the newer tree when the branch has moved', async () => {
    const { open, git, commitBehind } = await makeWorld()
    const fleet = open()
    await fleet.transact(counting('first'))
    const seen: (string | undefined)[] = []
    await fleet.transact(
      deciding('second', async (tree) => {
        const count = await tree.read('counter')
        // Somebody is faster between the decision and the push.
        if (seen.length === 0) await commitBehind({ counter: '41', 'human.txt': 'kept' })
        seen.push(count)
        return { changes: [{ path: 'counter', content: String(Number(count) + 1) }], value: undefined }
      }),
    )
    expect(seen).toEqual(['1', '41'])
    expect([await git('show', 'main:counter'), await git('show', 'main:human.txt')]).toEqual(['42', 'kept'])
  })

  it.each([
    ['nothing to change', async () => ({ nothing: true as const, value: undefined })],
    ['an error', () => Promise.reject(new Error('taken'))],
  ])('answers %s only after it has been decided on the newest tree', async (_, answer) => {
    const { open, commitBehind } = await makeWorld()
    const fleet = open()
    await fleet.transact(writing({ lock: 'held' }))
    const newest = await commitBehind({ lock: 'free' })
    const transaction = deciding('r', async (tree) =>
      (await tree.read('lock')) === 'held' ? answer() : { nothing: true, value: `free at ${tree.revision}` },
    )
    expect(await fleet.transact<unknown>(transaction)).toEqual({
      revision: newest,
      created: false,
      value: `free at ${newest}`,
    })
  })

  it('rejects only the transaction whose decide throws', async () => {
    const { open, git } = await makeWorld()
    const fleet = open()
    const failing = deciding('bad', () => Promise.reject(new Error('no room')))
    const results = await Promise.allSettled([
      fleet.transact(counting('a')),
      fleet.transact(failing),
      fleet.transact(writing({ '../x': '' }, 'worse')),
      fleet.transact(counting('b')),
    ])
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled'])
    expect(results[1]).toMatchObject({ reason: { message: 'no room' } })
    expect(await git('show', 'main:counter')).toBe('2')
  })

  it('finds its own commit again on a second delivery', async () => {
    const { open, git } = await makeWorld()
    const decide = deciding('r1', async (tree) =>
      (await tree.read('vms/r1')) === undefined
        ? { changes: [{ path: 'vms/r1', content: 'made' }], value: 'made' }
        : { nothing: true, value: 'was there' },
    )
    const [one, other] = [open(), open()]
    const results = [await one.transact(decide), await other.transact(decide), await one.transact(decide)]
    expect(results.map(({ value, created }) => [value, created])).toEqual([
      ['made', true],
      ['was there', false],
      ['was there', false],
    ])
    expect(await git('rev-list', '--count', 'main')).toBe('1')
  })

  it('finds a commit by run and step after 300 others, also beyond the shallow clone', async () => {
    const { open, git, commitBehind } = await makeWorld()
    const since = new Date(Date.now() - 1_000).toISOString()
    const writer = open()
    const { revision } = await writer.transact(writing({ a: 'a' }, 'run-7'))
    await writer.transact(writing({ b: 'b' }, 'run-77'))
    await Promise.all(
      numbers(300).map((number) => writer.transact(writing({ [`n/${number}`]: 'x' }, `other-${number}`))),
    )
    await commitBehind({ c: 'c' }, 'Talks about Drover-Run: run-7 and Drover-Step: commit')
    const reader = open()
    expect(await git('rev-list', '--count', 'main')).toBe('303')
    expect(await reader.find('run-7', 'commit', since)).toBe(revision)
    expect(await reader.find('run-7', 'verify', since)).toBeUndefined()
    expect(await reader.find('run-8', 'commit', '2999-01-01T00:00:00Z')).toBeUndefined()
    expect(await writer.find('run-7', 'commit', since)).toBe(revision)
    await reader.transact(counting('after'))
    expect(await git('rev-list', '--count', 'main')).toBe('304')
  })

  it('pushes at once after a quiet time, and again no sooner than its window says', async () => {
    const { open, git } = await makeWorld()
    const fleet = open({ window: { runs: 100, milliseconds: 3_000 } })
    const before = await pushes()
    await fleet.head()
    const started = performance.now()
    await fleet.transact(counting('a'))
    const pending = [fleet.transact(counting('b'))]
    await new Promise((resolve) => setTimeout(resolve, 50))
    await Promise.all([...pending, fleet.transact(counting('c'))])
    expect(performance.now() - started).toBeGreaterThan(3_000)
    expect(await git('show', 'main:counter')).toBe('3')
    expect(await pushes()).toBe(before + 2)
  })

  it('waits for no push that is not to come when it is closed', async () => {
    const { open } = await makeWorld()
    const fleet = open({ window: { runs: 100, milliseconds: 600_000 } })
    await fleet.transact(counting('a'))
    const pending = rejection(fleet.transact(counting('b')))
    await new Promise((resolve) => setTimeout(resolve, 50))
    await fleet.close()
    expect((await pending).message).toBe('Cannot use the fleet repository: the client is closed')
  })

  it('keeps no work tree, no token and nothing after close', async () => {
    const { open, directory } = await makeWorld()
    const fleet = open()
    await fleet.transact(writing({ 'vms/a/values.yaml': 'a: 1\n' }))
    const cache = join(directory, 'cache')
    const [name = ''] = await readdir(cache)
    const files = await readdir(join(cache, name), { recursive: true, withFileTypes: true })
    expect(files.filter((file) => ['values.yaml', 'index', '.git'].includes(file.name))).toEqual([])
    for (const file of files.filter((entry) => entry.isFile())) {
      expect(await readFile(join(file.parentPath, file.name), 'latin1')).not.toContain(TOKEN)
    }
    await fleet.close()
    expect(await readdir(cache)).toEqual([])
    await expect(fleet.head()).rejects.toThrow('Cannot use the fleet repository: the client is closed')
    await expect(fleet.transact(counting('late'))).rejects.toThrow(
      'Cannot use the fleet repository: the client is closed',
    )
  })

  it.each(['', '-x', 'a..b', 'a/', '/a', 'a b', 'a:b', 'x.lock', 'a/.b', '+main'])(
    'refuses the branch name %j',
    (branch) => {
      const config = {
        url: 'https://git.example.com/x',
        branch,
        directory: '/nonexistent',
        author: { name: 'a', email: 'b' },
      }
      expect(() => openFleet(config)).toThrow(
        `Cannot use the branch ${JSON.stringify(branch)}: it is not a plain branch name`,
      )
    },
  )
})
