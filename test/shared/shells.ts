import pino from 'pino'
import type { Event } from '../../shared/event.ts'
import { createShell } from '../../shared/shell/shell.ts'
import type { ShellOptions } from '../../shared/shell/work.ts'
import { type Step, succeeded } from '../../shared/step.ts'
import { keys, now } from './events.ts'

/** A shell around one step, with what it posted and logged. */
export function shellOf(step: Step = async () => succeeded('done'), changes: Partial<ShellOptions> = {}) {
  const posted: Event[] = []
  const lines: string[] = []
  const post = async (event: Event) => {
    posted.push(event)
  }
  const shell = createShell({
    name: undefined,
    wired: async () => ({ step, post }),
    keys: () => keys,
    limits: { deadlineMinutes: 30, undoMinutes: 15 },
    patienceMilliseconds: 1_000,
    now: () => now,
    log: pino({}, { write: (line: string) => void lines.push(line) }),
    ...changes,
  })
  const deliver = (event: Event) => shell({ event, dead: false })
  const bury = (event: Event) => shell({ event, dead: true })
  return { deliver, bury, posted, lines }
}
