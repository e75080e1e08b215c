import { setImmediate, setTimeout } from 'node:timers/promises'

export interface Window {
  /** How many transactions at most go into one push. */
  runs: number
  /** The least time from one push to the next; what comes meanwhile goes together, and after a quiet time one goes at once. */
  milliseconds: number
}

interface QueueConfig<T> {
  window: Window
  /** When the last push began, by `performance.now()`. */
  lastAt(): number
  /** Whether nobody else pushes, as far as is known. */
  isAlone(): boolean
  /** Must not throw. */
  land(batch: readonly T[]): Promise<void>
  /** Ends the wait for the next push. */
  signal: AbortSignal
}

/**
 * Whoever pushes without a pause begins its next push the moment the last one has ended, ahead of all others, who must look first: they
 * would never have their turn. So after so many milliseconds, more where nobody else has come yet, it waits for as long as some pushes
 * take, in which others come in between.
 */
const LONGEST_TURN = { among: 500, alone: 8_000 }
const PUSHES_OF_OTHERS = 4

/** Collects items while a batch is under way or must wait, and hands them over together. */
export function openQueue<T>({ window, lastAt, isAlone, land, signal }: QueueConfig<T>): { add(item: T): void } {
  const pending: T[] = []
  let running = false
  let turnSince = 0
  let endedAt = Number.NEGATIVE_INFINITY
  let took = 0

  const gather = async () => {
    // One turn of the loop, so that callers who ask in the same moment are served together.
    await setImmediate()
    const now = performance.now()
    if (now - endedAt > took) turnSince = now
    const isOver = now - turnSince > LONGEST_TURN[isAlone() ? 'alone' : 'among']
    const wait = Math.max(lastAt() + window.milliseconds, isOver ? endedAt + PUSHES_OF_OTHERS * took : 0) - now
    if (wait > 0) await setTimeout(wait, undefined, { signal }).catch(() => undefined)
    if (isOver) turnSince = performance.now()
  }
  const drain = async () => {
    running = true
    while (pending.length > 0) {
      await gather()
      const beganAt = performance.now()
      await land(pending.splice(0, window.runs))
      endedAt = performance.now()
      const pushedAt = lastAt()
      // It may have ended without any push, as where the server is away. One that hangs says nothing of those of others.
      if (pushedAt >= beganAt) took = Math.min(endedAt - pushedAt, LONGEST_TURN.among)
      // Who was late, time and again, has only begun its turn.
      if (pushedAt - beganAt > LONGEST_TURN.among) turnSince = pushedAt
    }
    running = false
  }
  const add = (item: T) => {
    pending.push(item)
    if (!running) void drain()
  }
  return { add }
}
