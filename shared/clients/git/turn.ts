/**
 * Whoever pushes without a pause begins its next push the moment the last one has ended, ahead of all others, who must look first: they
 * would never have their turn. So after so many milliseconds, more where nobody else has come yet, it waits for as long as some pushes
 * take, in which others come in between.
 */
const LONGEST = { among: 500, alone: 8_000 }
const PUSHES_OF_OTHERS = 4

export interface Turn {
  /** The moment from which on the next push may begin, by `performance.now()` as all of these. */
  next(now: number): number
  /** Notes what was done between two moments, in which a push began last at a third. */
  note(beganAt: number, pushedAt: number, endedAt: number): void
}

/** Follows the turns of one client; `isAlone` says whether nobody else pushes, as far as is known. */
export function openTurn(isAlone: () => boolean): Turn {
  let since = 0
  let ended = Number.NEGATIVE_INFINITY
  let took = 0
  return {
    next(now) {
      if (now - ended > took) since = now
      if (now - since <= LONGEST[isAlone() ? 'alone' : 'among']) return now
      since = ended + PUSHES_OF_OTHERS * took
      return since
    },
    note(beganAt, pushedAt, endedAt) {
      ended = endedAt
      // It may have ended without any push, as where the server is away. One that hangs says nothing of those of others.
      if (pushedAt >= beganAt) took = Math.min(endedAt - pushedAt, LONGEST.among)
      // Who was late, time and again, has only begun its turn.
      if (pushedAt - beganAt > LONGEST.among) since = pushedAt
    },
  }
}
