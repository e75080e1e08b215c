import { describe, expect, it } from 'vitest'
import { boundedCache } from '../../../../shared/clients/git/cache.ts'

/** A cache of texts on a clock that somebody moves on, and what was loaded for it. */
function cacheOf(most: number, keepSeconds = 60) {
  let now = 0
  const loaded: string[] = []
  const cached = boundedCache<string>({
    most,
    weigh: ({ length }) => length,
    keepMilliseconds: keepSeconds * 1_000,
    now: () => now,
  })
  const get = (key: string, text = key) =>
    cached(key, async () => {
      loaded.push(key)
      return text
    })
  const pass = (seconds: number) => {
    now += seconds * 1_000
  }
  return { get, pass, loaded, cached }
}

describe('what was read once', () => {
  it('is read once, by whoever asks at the same time and whoever asks later', async () => {
    const { get, loaded } = cacheOf(10)
    expect(await Promise.all([get('a', 'text'), get('a')])).toEqual(['text', 'text'])
    expect(await get('a')).toBe('text')
    expect(loaded).toEqual(['a'])
  })

  it('goes when the whole is too heavy: first what was not asked for longest', async () => {
    const { get, loaded } = cacheOf(10)
    for (const key of ['a', 'b', 'a']) await get(key, 'four')
    await get('c', 'four')
    expect(loaded).toEqual(['a', 'b', 'c'])
    for (const key of ['a', 'c', 'b']) await get(key, 'four')
    expect(loaded).toEqual(['a', 'b', 'c', 'b'])
  })

  it('goes once nobody has asked for it for a while, however light it is', async () => {
    const { get, pass, loaded } = cacheOf(1_000)
    for (const key of ['old', 'used']) await get(key)
    pass(40)
    await get('used')
    pass(40)
    await get('new')
    loaded.length = 0
    for (const key of ['used', 'new', 'old']) await get(key)
    expect(loaded).toEqual(['old'])
  })

  it('is weighed once, though it has gone while it was read and is read again', async () => {
    const { get, pass, cached } = cacheOf(10)
    const slow = Promise.withResolvers<string>()
    const first = cached('slow', async () => slow.promise)
    pass(61)
    await get('other', '')
    const again = cached('slow', async () => slow.promise)
    slow.resolve('fives')
    expect(await Promise.all([first, again])).toEqual(['fives', 'fives'])
    // Both have room: the one that is asked for now is not what makes the whole too heavy.
    await get('b', 'fives')
    expect(await cached('slow', async () => 'read anew')).toBe('fives')
  })

  it('is not kept when it could not be read, and weighs nothing then', async () => {
    const { get, loaded, cached } = cacheOf(10)
    await expect(cached('a', () => Promise.reject(new Error('gone')))).rejects.toThrow('gone')
    for (const key of ['b', 'c']) await get(key, 'fives')
    await get('a', '')
    for (const key of ['b', 'c']) await get(key)
    expect(loaded).toEqual(['b', 'c', 'a'])
  })
})
