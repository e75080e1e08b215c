import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { blobId } from '../../shared/blob-id.ts'
import { conflicting, expecting, readRecord, recorded, trailersOf } from '../../shared/ledger.ts'
import { runFile } from '../../shared/paths.ts'
import type { Run } from '../../shared/step.ts'
import { runOf } from '../examples/starter.ts'
import { memoryFleet } from '../fleet.ts'

const run = runOf({ task: 'name', facts: { name: 'web-01' } })
const written = async (fleet: ReturnType<typeof memoryFleet>, by: Run, changes: Record<string, string | null>) => {
  const list = Object.entries(changes).map(([path, content]) => ({ path, content }))
  const all = await recorded(await fleet.head(), by, by.facts, list)
  fleet.put(Object.fromEntries(all.map(({ path, content }) => [path, content])))
  return readRecord(await fleet.head(), by.id)
}

describe('a blob id', () => {
  it.each(['', 'a\n', 'schön 😀\n', 'x'.repeat(10_000)])('is what git says (%#)', (text) => {
    const said = execFileSync('git', ['hash-object', '--stdin'], { input: text, encoding: 'utf8' }).trim()
    expect(blobId(text)).toBe(said)
  })
})

describe('the record of a run', () => {
  it('is not there before the first commit', async () => {
    expect(await readRecord(await memoryFleet().head(), run.id)).toBeUndefined()
  })

  it('says what was there before, and what the run wrote', async () => {
    const fleet = memoryFleet({ 'a.yaml': 'old\n', 'gone.yaml': 'x\n' })
    const record = await written(fleet, run, { 'a.yaml': 'new\n', 'b.yaml': 'b\n', 'gone.yaml': null })
    expect(record).toMatchObject({
      run: run.id,
      lifecycle: 'provision',
      state: 'running',
      task: 'name',
      requester: 'ann@example.com',
      since: run.since,
      facts: { name: 'web-01' },
      wrote: {
        'a.yaml': { before: blobId('old\n'), after: blobId('new\n') },
        'b.yaml': { before: null, after: blobId('b\n') },
        'gone.yaml': { before: blobId('x\n'), after: null },
      },
    })
  })

  it('keeps what was there before the run, however often it writes', async () => {
    const fleet = memoryFleet({ 'a.yaml': 'old\n' })
    await written(fleet, run, { 'a.yaml': 'one\n' })
    const record = await written(fleet, { ...run, task: 'address' }, { 'a.yaml': 'two\n', 'b.yaml': 'b\n' })
    expect(record?.task).toBe('address')
    expect(record?.wrote).toEqual({
      'a.yaml': { before: blobId('old\n'), after: blobId('two\n') },
      'b.yaml': { before: null, after: blobId('b\n') },
    })
  })

  it('knows that somebody else changed a file between two of its commits, and goes on knowing it', async () => {
    const fleet = memoryFleet({ 'a.yaml': 'old\n' })
    await written(fleet, run, { 'a.yaml': 'one\n' })
    fleet.put({ 'a.yaml': 'theirs\n' })
    const edited = { before: blobId('old\n'), edited: true }
    const second = await written(fleet, { ...run, task: 'address' }, { 'a.yaml': 'two\n' })
    expect(second?.wrote).toEqual({ 'a.yaml': { ...edited, after: blobId('two\n') } })
    const third = await written(fleet, { ...run, task: 'address' }, { 'a.yaml': 'three\n' })
    expect(third?.wrote).toEqual({ 'a.yaml': { ...edited, after: blobId('three\n') } })
  })

  it('leaves out what machines share and what is in Git anyway', async () => {
    const facts = { name: 'web-01', definition: { secret: 'no' } as never }
    const record = await written(
      memoryFleet(),
      { ...run, facts },
      { 'namespaces/site-a/shop/namespace.yaml': 'x\n', 'hub/applications/site-a/shop.yaml': 'x\n' },
    )
    expect(record?.wrote).toEqual({})
    expect(record?.facts).toEqual({ name: 'web-01' })
  })

  it('lies where every step looks for it', () => {
    expect(runFile('x')).toBe('runs/x.yaml')
    expect(trailersOf(run)).toEqual({ run: run.id, step: 'name', lifecycle: 'provision', requester: 'ann@example.com' })
  })
})

describe('a change set', () => {
  it('expects what is there when it is built', async () => {
    const tree = await memoryFleet({ 'a.yaml': 'old\n' }).head()
    const changes = [
      { path: 'a.yaml', content: 'new\n' },
      { path: 'b.yaml', content: null },
    ]
    expect(await expecting(tree, changes)).toEqual([
      { path: 'a.yaml', content: 'new\n', expect: blobId('old\n') },
      { path: 'b.yaml', content: null, expect: null },
    ])
  })

  it.each<[string, Record<string, string>, string | undefined]>([
    ['all is as expected', { 'a.yaml': 'old\n' }, undefined],
    ['all is as wanted', { 'a.yaml': 'new\n' }, undefined],
    ['somebody changed a path', { 'a.yaml': 'mine\n' }, 'a.yaml'],
    ['somebody removed a path', {}, 'a.yaml'],
    ['somebody made a path', { 'a.yaml': 'old\n', 'b.yaml': 'mine\n' }, 'b.yaml'],
  ])('conflicts or not when %s', async (_, files, path) => {
    const changes = [
      { path: 'a.yaml', content: 'new\n', expect: blobId('old\n') },
      { path: 'b.yaml', content: 'b\n', expect: null },
    ]
    expect(await conflicting(await memoryFleet(files).head(), changes)).toBe(path)
  })

  it.each([
    ['of a machine may be gone already', 'vms/site-a/shop/db-01/manifests/old.yaml', undefined],
    [
      'of a kept disk is gone once another machine has taken it',
      'kept/site-a/shop/old.yaml',
      'kept/site-a/shop/old.yaml',
    ],
  ])('that removes a file %s', async (_, path, conflict) => {
    const changes = [{ path, content: null, expect: blobId('old\n') }]
    expect(await conflicting(await memoryFleet().head(), changes)).toBe(conflict)
    expect(await conflicting(await memoryFleet({ [path]: 'old\n' }).head(), changes)).toBeUndefined()
  })
})
