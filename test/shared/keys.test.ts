import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { keysIn, parseKeys } from '../../shared/keys.ts'

const secret = 'hunter2-hunter2-hunter2'
const one = { id: 'k1', secret }
const two = { id: 'k2', secret: `${secret}:2` }

/** A file of keys that was read just now, with a clock that tests set. */
function fileOf() {
  const path = join(mkdtempSync(join(tmpdir(), 'drover-keys-')), 'keys')
  const complaints: string[] = []
  let now = 0
  const keyring = keysIn(path, [one], () => now)
  return {
    path,
    complaints,
    write: (text: string) => writeFileSync(path, text),
    asked: (milliseconds: number) => {
      now += milliseconds
      return keyring((sentence) => complaints.push(sentence))
    },
  }
}

describe('a text of keys', () => {
  it.each<[string, object[]]>([
    [`k1:${secret}`, [one]],
    [`k2:${secret}:2\nk1:${secret}\n`, [two, one]],
    [` k1:${secret} , k2:${secret}:2 `, [one, two]],
    ['', []],
  ])('"%s" is read in its order', (text, keys) => {
    expect(parseKeys(text)).toEqual({ keys, problems: [] })
  })

  const bad =
    'holds a bad key, wanted "id:secret" with an id of letters and digits and a secret of at least 16 characters'
  it.each<[string, string[]]>([
    ['k1', [bad]],
    ['k1:short', [bad]],
    [`K1:${secret}`, [bad]],
    [`:${secret}`, [bad]],
    [`k1:${secret} k1:${secret}`, ['holds two keys of one id']],
    [`k1:${secret} k1:x`, [bad, 'holds two keys of one id']],
  ])('"%s" has its faults told, and no secret', (text, problems) => {
    expect(parseKeys(text).problems).toEqual(problems)
  })
})

describe('keys in a file', () => {
  it('are taken up within seconds when the file is written anew', () => {
    const { write, asked } = fileOf()
    write(`k2:${secret}:2 k1:${secret}`)
    expect(asked(1_999)).toEqual([one])
    expect(asked(1)).toEqual([two, one])
    write(`k2:${secret}:2`)
    expect(asked(0)).toEqual([two, one])
    expect(asked(2_000)).toEqual([two])
  })

  it.each<[string, string]>([
    ['', 'the file is empty'],
    ['hunter2', 'the file holds a bad key'],
    [`k1:${secret}\nk1:${secret}`, 'the file holds two keys of one id'],
  ])('stay as they were when the file holds "%s", which is said once', (text, problem) => {
    const { write, asked, complaints } = fileOf()
    write(text)
    for (let times = 0; times < 3; times++) expect(asked(2_000)).toEqual([one])
    expect(complaints).toEqual([
      expect.stringContaining(`Cannot take up new signing keys, the last good ones hold: ${problem}`),
    ])
    expect(complaints.join()).not.toContain('hunter2')
    write(`k2:${secret}:2`)
    expect(asked(2_000)).toEqual([two])
  })

  it('stay as they were while there is no file, and what is wrong again is said again', () => {
    const { path, write, asked, complaints } = fileOf()
    write(`k1:${secret}`)
    asked(2_000)
    for (const text of [undefined, `k2:${secret}:2`, undefined]) {
      if (text === undefined) rmSync(path)
      else write(text)
      asked(2_000)
    }
    expect(asked(0)).toEqual([two])
    expect(complaints).toEqual([
      expect.stringContaining('the file cannot be read'),
      expect.stringContaining('the file cannot be read'),
    ])
  })
})
