import { describe, expect, it } from 'vitest'
import { strikeAll, strikeCheck } from './chaos.ts'
import { randomOf } from './random.ts'

/** Strikes until so many turns are over, at parts of which some are there to be killed. */
async function struck(parts: Record<string, boolean>, turns: number) {
  const ending = new AbortController()
  let left = turns
  const targets = Object.entries(parts).map(([name, isThere]) => ({
    name,
    strike: async () => {
      left -= 1
      if (left === 0) ending.abort()
      return isThere
    },
  }))
  return strikeAll(targets, randomOf('seed', 'kills'), 0, ending.signal)
}

const problemsOf = async (...given: Parameters<typeof struck>) =>
  strikeCheck(await struck(...given)).problems.map(({ says }) => says)

describe('that every part was killed', () => {
  it('is so where each was, in its turn', async () => {
    const { kills, rounds } = await struck({ broker: true, commit: true }, 5)
    expect(rounds).toBe(2)
    expect([...kills.values()].sort()).toEqual([2, 3])
    expect(await problemsOf({ broker: true, commit: true }, 5)).toEqual([])
  })

  it('is not so where one was never there to be killed', async () => {
    expect(await problemsOf({ broker: true, commit: false }, 4)).toEqual(['commit never was'])
  })

  it('is asked of one part alone where there was no time for all', async () => {
    expect(await problemsOf({ broker: true, commit: true, build: true }, 2)).toEqual([])
    expect(await problemsOf({ broker: false, commit: false, build: false }, 2)).toEqual(['none was'])
  })
})
