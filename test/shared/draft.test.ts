import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { blobId } from '../../shared/blob-id.ts'
import { draftOf } from '../../shared/draft.ts'
import { plannedFiles } from '../../shared/plan.ts'
import { memoryFleet } from '../fleet.ts'

const trailers = { run: 'r', step: 's', lifecycle: 'power', requester: 'ann' }
const files = { 'vms/a/shop/web/values.yaml': 'old', 'vms/a/shop/web/gone.yaml': 'x' }
const changes = [
  { path: 'vms/a/shop/web/values.yaml', content: 'new' },
  { path: 'vms/a/shop/web/gone.yaml', content: null },
  { path: 'names/ab/web.yaml', content: 'name: web' },
]

describe('a draft', () => {
  it('is read as if it had been pushed, and nothing is', async () => {
    const fleet = memoryFleet(files)
    const draft = draftOf(fleet, [])
    const decide = async () => ({ changes, value: 'done' })
    expect(await draft.fleet.transact({ subject: 'x', trailers, decide })).toMatchObject({
      created: true,
      value: 'done',
    })
    const tree = await draft.fleet.head()
    expect(await tree.read('vms/a/shop/web/values.yaml')).toBe('new')
    expect(await tree.read('vms/a/shop/web/gone.yaml')).toBeUndefined()
    expect(await tree.oid('names/ab/web.yaml')).toBe(blobId('name: web'))
    expect(await tree.blob(blobId('new'))).toBe('new')
    expect((await tree.list('vms/a/shop/web')).map(({ name }) => name)).toEqual(['values.yaml'])
    expect((await tree.list('names')).map(({ name }) => name)).toEqual(['ab'])
    expect(fleet.commits).toEqual([])
    expect(await fleet.files()).toEqual(files)
  })

  it('goes on with what the tasks before have changed', async () => {
    const draft = draftOf(memoryFleet(files), changes)
    expect(await (await draft.fleet.head()).read('names/ab/web.yaml')).toBe('name: web')
    expect(draft.changes()).toEqual(changes)
  })

  it('lists a folder in the order of names, with what is new in it and without what is gone', async () => {
    const draft = draftOf(memoryFleet({ ...files, 'vms/a/shop/db/values.yaml': 'db' }), [
      { path: 'vms/a/shop/api/values.yaml', content: 'api' },
      { path: 'vms/a/shop/gone/values.yaml', content: null },
      { path: 'vms/a/shop/web/new/one.yaml', content: '1' },
      { path: 'vms/a/shop/web/new/two.yaml', content: '2' },
      { path: 'vms/a/shop/web/gone.yaml', content: null },
      { path: 'vms/a/shop/web/about.yaml', content: 'about' },
      { path: 'vms/a/shop/webs/values.yaml', content: 'no file of web' },
    ])
    const tree = await draft.fleet.head()
    const real = await (await memoryFleet({ ...files, 'vms/a/shop/db/values.yaml': 'db' }).head()).list('vms/a/shop')
    const found = await tree.list('vms/a/shop')
    expect(found.map(({ name, mode }) => [name, mode])).toEqual([
      ['api', '040000'],
      ['db', '040000'],
      ['web', '040000'],
      ['webs', '040000'],
    ])
    expect(found.find(({ name }) => name === 'db')).toEqual(real.find(({ name }) => name === 'db'))
    expect(await tree.list('vms/a/shop/web')).toEqual([
      { name: 'about.yaml', mode: '100644', oid: blobId('about') },
      { name: 'new', mode: '040000', oid: '' },
      { name: 'values.yaml', mode: '100644', oid: blobId('old') },
    ])
  })

  it('shows what no task has changed as Git has it', async () => {
    const tree = await draftOf(memoryFleet(files), [changes[1]!]).fleet.head()
    expect(await tree.read('vms/a/shop/web/values.yaml')).toBe('old')
    expect(await tree.oid('vms/a/shop/web/values.yaml')).toBe(blobId('old'))
    expect(await tree.oid('vms/a/shop/web/gone.yaml')).toBeUndefined()
    expect(await tree.blob(blobId('old'))).toBe('old')
  })

  it('keeps nothing of a decision to change nothing', async () => {
    const draft = draftOf(memoryFleet(files), [])
    const decide = async () => ({ nothing: true as const, value: 'no' })
    const answer = await draft.fleet.transact({ subject: 'x', trailers, decide })
    expect(answer).toMatchObject({ created: false, value: 'no' })
    expect(draft.changes()).toEqual([])
  })

  it('finds in Git what was committed before', async () => {
    const fleet = memoryFleet(files)
    const decide = async () => ({ changes: [changes[0]!], value: 'done' })
    const { revision } = await fleet.transact({ subject: 'x', trailers, decide })
    expect(await draftOf(fleet, []).fleet.find('r', 's', '1970-01-01T00:00:00Z')).toBe(revision)
    expect(await draftOf(fleet, []).fleet.find('r', 'other', '1970-01-01T00:00:00Z')).toBeUndefined()
  })

  it('is told as git status tells it, without what only a run needs', async () => {
    const tree = await memoryFleet(files).head()
    const more = [
      { path: 'runs/r.yaml', content: 'x' },
      { path: 'vms/a/shop/web/operation.yaml', content: 'x' },
      { path: 'names/ab/never.yaml', content: null },
    ]
    const { plan } = await plannedFiles(tree, [...changes, ...more])
    expect(plan).toEqual(['A names/ab/web.yaml', 'D vms/a/shop/web/gone.yaml', 'M vms/a/shop/web/values.yaml'])
  })

  it('is told as git diff tells it: git itself makes the same of the fleet', async () => {
    const { diff } = await plannedFiles(await memoryFleet(files).head(), changes)
    const folder = mkdtempSync(join(tmpdir(), 'drover-plan-'))
    try {
      for (const [path, content] of Object.entries(files)) {
        mkdirSync(join(folder, dirname(path)), { recursive: true })
        writeFileSync(join(folder, path), content)
      }
      execFileSync('git', ['apply', '-'], { cwd: folder, input: diff })
      for (const { path, content } of changes)
        expect(existsSync(join(folder, path)) ? readFileSync(join(folder, path), 'utf8') : null, path).toBe(content)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('names the files that its diff has no room for', async () => {
    const large = { path: 'vms/a/shop/web/large.yaml', content: 'x\n'.repeat(60_000) }
    const { plan, diff } = await plannedFiles(await memoryFleet(files).head(), [...changes, large])
    expect(plan).toContain('A vms/a/shop/web/large.yaml')
    expect(diff.length).toBeLessThan(100_000)
    expect(diff).toMatch(/^and vms\/a\/shop\/web\/large\.yaml$/m)
  })
})
