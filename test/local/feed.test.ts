import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Feed } from '../../local/feed.ts'

let feed: Feed
beforeEach(async () => {
  feed = new Feed()
  await feed.serve(0)
})
afterEach(() => feed.close())

const attributes = { specversion: '1.0', id: '1', source: '/me', type: 'x', datacontenttype: 'application/json' }
const note = (data: string, more: object = {}) =>
  feed.note({ event: { attributes: { ...attributes, ...more }, data: Buffer.from(data) } } as Parameters<
    Feed['note']
  >[0])

/** The next block of the stream, as its fields. */
async function firstBlock(): Promise<Record<string, string>> {
  const { body } = await fetch(feed.url)
  let text = ''
  for await (const chunk of body ?? []) {
    text += Buffer.from(chunk).toString('utf8')
    if (text.includes('\n\n')) break
  }
  const lines = (text.split('\n\n')[0] ?? '').split('\n')
  return Object.fromEntries(lines.map((line) => [line.split(': ')[0], line.slice(line.indexOf(': ') + 2)]))
}

describe('the stream of events', () => {
  it.each<[string, string, unknown]>([
    ['on one line', '{"a":1}', { a: 1 }],
    ['on many lines, with an empty one', '{\r\n\n "a": "x\\ny"\n}', { a: 'x\ny' }],
    ['that is not JSON', '{nope', '{nope'],
    ['that would be a field of the stream', '\n\nevent: forged\n', '\n\nevent: forged\n'],
    ['that would be an attribute', '1,"id":"2"', '1,"id":"2"'],
  ])('gives data %s as one line of JSON', async (_, data, wanted) => {
    note(data)
    const block = await firstBlock()
    expect(Object.keys(block)).toEqual(['id', 'event', 'data'])
    expect(JSON.parse(block['data'] ?? '')).toMatchObject({ id: '1', data: wanted })
  })

  it('keeps line breaks of attributes out of its fields', async () => {
    note('{}', { id: 'a\nevent: forged', type: 'x\ry' })
    expect(await firstBlock()).toMatchObject({ id: 'a event: forged', event: 'x y' })
  })
})
