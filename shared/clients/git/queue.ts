import { setImmediate } from 'node:timers/promises'

export interface Window {
  /** How many transactions at most go into one push. */
  runs: number
  /** How long to wait for more of them before a push; what is pending goes together in any case. */
  milliseconds: number
}

/** Collects items while a batch is under way, and hands them over together when it is done. `land` must not throw. */
export function openQueue<T>(window: Window, land: (batch: readonly T[]) => Promise<void>): { add(item: T): void } {
  const pending: T[] = []
  let running = false
  let full: (() => void) | undefined

  const gather = async () => {
    // One turn of the loop, so that callers who ask in the same moment are served together.
    await setImmediate()
    if (window.milliseconds === 0 || pending.length >= window.runs) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, window.milliseconds)
      full = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    full = undefined
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
    if (pending.length >= window.runs) full?.()
    if (!running) void drain()
  }
  return { add }
}
