/** A longer timer would fire at once. */
const longest = 2 ** 31 - 1

export interface Loop {
  /** Has a key looked at again, now or after some milliseconds; asking twice is asking once. */
  wake(key: string, after?: number): void
  close(): void
}

/**
 * The watch loop that all controllers share: each key is looked at once however often it was woken meanwhile, never
 * twice at the same time, and again with back-off after an error.
 */
export function runLoop(reconcile: (key: string) => void | Promise<void>, onError: (error: unknown) => void): Loop {
  const ready = new Set<string>()
  const busy = new Set<string>()
  const failures = new Map<string, number>()
  const timers = new Map<string, { timer: NodeJS.Timeout; due: number }>()
  let turn: NodeJS.Immediate | undefined
  let closed = false

  function wake(key: string, after = 0) {
    if (closed) return
    if (after > 0) return later(key, after)
    ready.add(key)
    turn ??= setImmediate(drain)
  }

  function later(key: string, after: number): void {
    const due = performance.now() + after
    const before = timers.get(key)
    if (before && before.due <= due) return
    clearTimeout(before?.timer)
    const fire = () => {
      timers.delete(key)
      wake(key)
    }
    timers.set(key, { timer: setTimeout(fire, Math.min(after, longest)), due })
  }

  function drain(): void {
    turn = undefined
    const keys = [...ready].filter((key) => !busy.has(key))
    for (const key of keys) {
      ready.delete(key)
      void attempt(key)
    }
  }

  async function attempt(key: string): Promise<void> {
    busy.add(key)
    try {
      // A plain call stays in this turn: only what is really asynchronous waits.
      const pending = reconcile(key)
      if (pending) await pending
      failures.delete(key)
    } catch (error) {
      if (!closed) onError(error)
      const count = (failures.get(key) ?? 0) + 1
      failures.set(key, count)
      wake(key, Math.min(5000, 50 * 2 ** count))
    } finally {
      busy.delete(key)
      if (ready.has(key)) wake(key)
    }
  }

  return {
    wake,
    close() {
      closed = true
      if (turn) clearImmediate(turn)
      for (const { timer } of timers.values()) clearTimeout(timer)
      ready.clear()
    },
  }
}
