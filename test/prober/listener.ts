import { runId } from '../../shared/run.ts'
import { type Heard, openJournal } from './journal.ts'

/** What was heard of the runs, by the events that the Broker has taken in. */
export interface Listener {
  /** Every event of a run so far, the request first. */
  of(run: string): readonly Heard[]
  /** Resolves when something is heard of a run, or when the time is over. */
  next(run: string, milliseconds: number): Promise<void>
  /** When an event was heard last, of whatever run. */
  last(): number
  close(): void
}

export const isTick = ({ type }: Heard): boolean => type.endsWith('.sweep.requested')

/** Follows the Broker's journal. */
export function listenTo(file: string): Listener {
  const read = openJournal(file)
  const byRun = new Map<string, Heard[]>()
  const waiting = new Map<string, Set<() => void>>()
  let last = Date.now()
  const look = () => {
    for (const heard of read()) {
      if (isTick(heard)) continue
      last = heard.at
      const run = heard.run ?? runId(heard.source, heard.id)
      const known = byRun.get(run)
      if (known) known.push(heard)
      else byRun.set(run, [heard])
      for (const wake of waiting.get(run) ?? []) wake()
    }
  }
  const looking = setInterval(look, 50)
  return {
    of: (run) => byRun.get(run) ?? [],
    last: () => last,
    next(run, milliseconds) {
      return new Promise((done) => {
        const woken = waiting.get(run) ?? new Set()
        const wake = () => {
          clearTimeout(timer)
          woken.delete(wake)
          if (woken.size === 0) waiting.delete(run)
          done()
        }
        const timer = setTimeout(wake, milliseconds)
        waiting.set(run, woken.add(wake))
      })
    },
    close() {
      clearInterval(looking)
      look()
    },
  }
}
