/** Resolves after some time, when the signal is aborted, or when what `wakeable` is given is called. */
export function pause(milliseconds: number, signal: AbortSignal, wakeable: (wake: () => void) => void = () => {}) {
  return new Promise<void>((done) => {
    if (signal.aborted) return done()
    const finish = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', finish)
      done()
    }
    const timer = setTimeout(finish, milliseconds)
    signal.addEventListener('abort', finish)
    wakeable(finish)
  })
}

/** Wakes who waits, or remembers the ring for who comes next. */
export function createBell() {
  let rung = false
  let wake = () => {}
  return {
    ring() {
      rung = true
      wake()
    },
    async wait(milliseconds: number, signal: AbortSignal) {
      if (!rung)
        await pause(milliseconds, signal, (finish) => {
          wake = finish
        })
      rung = false
      wake = () => {}
    },
  }
}
