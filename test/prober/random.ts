import { createHash } from 'node:crypto'

/** Choices that follow from a seed alone. */
export interface Random {
  /** A whole number from 0 to below this one. */
  below(limit: number): number
  /** True so often, of 1. */
  chance(often: number): boolean
  of<const T>(choices: readonly [T, ...T[]]): T
  shuffled<T>(things: readonly T[]): T[]
}

/** The same words give the same choices, in whatever order others are asked. */
export function randomOf(...words: readonly (string | number)[]): Random {
  let count = 0
  const next = () => {
    count += 1
    const digest = createHash('sha256')
      .update([...words, count].join(' '))
      .digest()
    return digest.readUInt32BE(0) / 2 ** 32
  }
  const below = (limit: number) => Math.floor(next() * limit)
  return {
    below,
    chance: (often) => next() < often,
    of: <const T>(choices: readonly [T, ...T[]]): T => choices[below(choices.length)] ?? choices[0],
    shuffled: <T>(things: readonly T[]): T[] =>
      things
        .map((thing) => ({ thing, place: next() }))
        .sort((one, other) => one.place - other.place)
        .map(({ thing }) => thing),
  }
}
