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
  /** Must not throw. */
  land(batch: readonly T[]): Promise<void>
  /** Ends the wait for the next push. */
  signal: AbortSignal
}

/** Collects items while a batch is under way or must wait, and hands them over together. */
export function openQueue<T>({ window, lastAt, land, signal }: QueueConfig<T>): { add(item: T): void } {
  const pending: T[] = []
  let running = false

  const gather = async () => {
    // One turn of the loop, so that callers who ask in the same moment are served together.
    await setImmediate()
    const wait = lastAt() + window.milliseconds - performance.now()
    if (wait > 0) await setTimeout(wait, undefined, { signal }).catch(() => undefined)
  }
  const drain = async () => {
    running = true
    while (pending.length > 0) {
      await gather()
      await land(pending.splice(0, window.runs))
    }
    running = false
  }
  const add = (item: T) => {
    pending.push(item)
    if (!running) void drain()
  }
  return { add }
}
