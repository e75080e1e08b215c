import { setImmediate, setTimeout } from 'node:timers/promises'
import { openTurn } from './turn.ts'

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

/** Collects items while a batch is under way or must wait, and hands them over together. */
export function openQueue<T>({ window, lastAt, isAlone, land, signal }: QueueConfig<T>): { add(item: T): void } {
  const pending: T[] = []
  let running = false
  const turn = openTurn(isAlone)

  const gather = async () => {
    // One turn of the loop, so that callers who ask in the same moment are served together.
    await setImmediate()
    const now = performance.now()
    const wait = Math.max(lastAt() + window.milliseconds, turn.next(now)) - now
    if (wait > 0) await setTimeout(wait, undefined, { signal }).catch(() => undefined)
  }
  const drain = async () => {
    running = true
    while (pending.length > 0) {
      await gather()
      const beganAt = performance.now()
      await land(pending.splice(0, window.runs))
      turn.note(beganAt, lastAt(), performance.now())
    }
    running = false
  }
  const add = (item: T) => {
    pending.push(item)
    if (!running) void drain()
  }
  return { add }
}
