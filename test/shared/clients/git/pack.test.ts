import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { blobId } from '../../../../shared/blob-id.ts'
import { toObjects } from '../../../../shared/clients/git/new-objects.ts'
import { toPack, writePack } from '../../../../shared/clients/git/pack.ts'
import type { EntryTree } from '../../../../shared/clients/git/tree.ts'
import { memoryFleet } from '../../../fleet.ts'

const execute = promisify(execFile)

it('git finds no fault with a pack of ours', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'drover-pack-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const git = async (...args: string[]) => (await execute('git', [`--git-dir=${directory}`, ...args])).stdout.trimEnd()
  await execute('git', ['init', '-q', '--bare', directory])
  const empty = (await memoryFleet({}).head()) as EntryTree
  const base = { ...empty, revision: '0'.repeat(40), list: async () => [] }
  const by = { author: { name: 'Drover', email: 'drover@localhost' }, seconds: 1 }
  // Lengths around each change in how many bytes tell them.
  const contents = [0, 1, 15, 16, 17, 2047, 2048, 2049, 300_000].map((length) => 'ä'.repeat(length).slice(0, length))
  let parent: string | undefined
  for (const [round, content] of contents.entries()) {
    const written = { mode: '100644', oid: blobId(content), content }
    const changes = new Map([[`folder/${round}/file`, written]])
    const made = await toObjects([{ message: `${round}\n`, changes }], base, parent, by)
    writePack(directory, made)
    writePack(directory, made)
    parent = made.commits[0]
    expect(await git('rev-parse', 'refs/drover/pending')).toBe(parent)
    expect(await git('cat-file', 'blob', `${parent}:folder/${round}/file`)).toBe(content)
  }
  await git('fsck', '--strict', '--full')
  await git('gc', '--quiet')
  expect(await git('rev-list', '--count', 'refs/drover/pending')).toBe(String(contents.length))
})

it('a folder that changes often takes little room each time', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'drover-pack-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const git = async (...args: string[]) => (await execute('git', [`--git-dir=${directory}`, ...args])).stdout.trimEnd()
  await execute('git', ['init', '-q', '--bare', directory])
  const empty = (await memoryFleet({}).head()) as EntryTree
  const base = { ...empty, revision: '0'.repeat(40), list: async () => [] }
  const write = (name: number, content: string) =>
    [`folder/${name}`, { mode: '100644', oid: blobId(content), content }] as const
  const first = new Map(Array.from({ length: 1_000 }, (_, name) => write(name, `${name}`)))
  // Each commit changes a file, the next one changes it back: so the folder is what it was, again and again.
  const others = Array.from(
    { length: 150 },
    (_, index) => new Map([write(500 + (index >> 1), index % 2 ? `${500 + (index >> 1)}` : 'x')]),
  )
  const commits = [first, ...others].map((changes) => ({ message: 'm\n', changes }))
  const made = await toObjects(commits, base, undefined, {
    author: { name: 'Drover', email: 'd@localhost' },
    seconds: 1,
  })
  const { pack } = toPack(made.objects)
  const whole = toPack(made.objects.map(({ oid, kind, content }) => ({ oid, kind, content })))
  expect(pack.length).toBeLessThan(whole.pack.length / 4)
  writePack(directory, made)
  await git('fsck', '--strict', '--full')
  const ids = await git('ls-tree', '--format=%(objectname)', `${made.commits.at(-2)}:folder`)
  expect(ids.split('\n')).toContain(blobId('x'))
  expect(await git('rev-parse', `${made.commits.at(-1)}^{tree}`)).toBe(
    await git('rev-parse', `${made.commits[0]}^{tree}`),
  )
})
