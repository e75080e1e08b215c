/**
 * Lets concurrent callers share one run of the work, but never one that had begun before they asked: what it
 * answers would be older than their question. At most one run is under way and one is waiting.
 */
export function coalesce<A extends unknown[], T>(work: (...args: A) => Promise<T>): (...args: A) => Promise<T> {
  let running: Promise<unknown> | undefined
  let waiting: Promise<T> | undefined
  const start = (args: A): Promise<T> => {
    const run = work(...args)
    running = run
    const clear = () => {
      if (running === run) running = undefined
    }
    run.then(clear, clear)
    return run
  }
  return (...args) => {
    if (waiting) return waiting
    if (!running) return start(args)
    waiting = running
      .catch(() => undefined)
      .then(() => {
        waiting = undefined
        return start(args)
      })
    return waiting
  }
}

/** Does the work for one caller after the other. */
export function inTurn<A extends unknown[], T>(work: (...args: A) => Promise<T>): (...args: A) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (...args) => {
    const run = last.then(() => work(...args))
    last = run.catch(() => undefined)
    return run
  }
}
