import { describe, expect, it } from 'vitest'
import { heldSentence, holderOf, lockOf, toLock } from '../../shared/lock.ts'
import { runFile } from '../../shared/paths.ts'
import { runOf } from '../examples/starter.ts'
import { memoryFleet } from '../fleet.ts'

const holder = 'aaaaaaaaaaaaaaaaaaaa'
const another = 'bbbbbbbbbbbbbbbbbbbb'
const path = lockOf({ cluster: 'site-a', namespace: 'shop', name: 'db-01' })
const lock = { run: holder, lifecycle: 'patch', requester: 'ann@example.com', since: '2030-01-01T10:00:00.000Z' }
const text = toLock(runOf({ id: holder, lifecycle: 'patch' }))
const record = { [runFile(holder)]: `run: "${holder}"\n` }

describe('a lock', () => {
  it.each<[string, Record<string, string>, string, object | undefined]>([
    ['is that of the run that it names', { [path]: text, ...record }, another, lock],
    ['is none for its own run', { [path]: text, ...record }, holder, undefined],
    ['is dead when its run has no record', { [path]: text }, another, undefined],
    ['is none when there is no file', record, another, undefined],
    ['is none when the file is empty', { [path]: '', ...record }, another, undefined],
    ['is none when the file says nothing', { [path]: 'null\n', ...record }, another, undefined],
    ['is none when it names no run', { [path]: 'since: "now"\n', ...record }, another, undefined],
    ['is none when its run is no text', { [path]: 'run: 17\n', ...record }, another, undefined],
    [
      'is none when its run only ends like one, for it becomes a path',
      { [path]: `run: "../${holder}"\n`, [runFile(`../${holder}`)]: 'run: "x"\n' },
      another,
      undefined,
    ],
    [
      'is none when its run only begins like one',
      { [path]: `run: "${holder}a"\n`, [runFile(`${holder}a`)]: 'run: "x"\n' },
      another,
      undefined,
    ],
  ])('%s', async (_, files, run, expected) => {
    expect(await holderOf(await memoryFleet(files).head(), path, run)).toEqual(expected)
  })

  it('says who holds the machine, for what and since when', () => {
    expect(heldSentence('shop/db-01 on site-a', { ...lock, lifecycle: 'patch' })).toBe(
      `shop/db-01 on site-a is held by run ${holder}: a patch that ann@example.com asked for at 2030-01-01T10:00:00.000Z`,
    )
  })
})
