import { describe, expect, it } from 'vitest'
import { draftOf } from '../../shared/draft.ts'
import { blobId } from '../../shared/ledger.ts'
import { planLines } from '../../shared/plan.ts'
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
    expect(await planLines(tree, [...changes, ...more])).toEqual([
      'A names/ab/web.yaml',
      'D vms/a/shop/web/gone.yaml',
      'M vms/a/shop/web/values.yaml',
    ])
  })
})
