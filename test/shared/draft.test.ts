import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { draftOf } from '../../shared/draft.ts'
import { blobId } from '../../shared/ledger.ts'
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
