import { createHash } from 'node:crypto'
import type { Log } from '../log.ts'
import type { Work } from '../run.ts'
import type { Here } from '../step.ts'
import { reply } from './reply.ts'
import type { ShellOptions, Wired } from './work.ts'

/** How long an answer waits for the Broker to take the progress that led to it, in milliseconds. */
const brief = 250

export interface Teller {
  /** Tells it, one message after the other; the work goes on meanwhile. */
  progress: Here['progress']
  /** Resolves when the Broker has taken everything, or is too slow. */
  told(): Promise<void>
}

/**
 * Tells progress through the Broker, each message once; a Broker that cannot be reached must not stop the work, and a
 * slow one not hold it up. While it is fast, progress comes before the answer that it leads to.
 */
export function teller(work: Work, wired: Wired, options: ShellOptions, log: Log): Teller {
  let last = ''
  let posting = Promise.resolve()
  const progress = async (message: string) => {
    if (message === last) return
    last = message
    log.info({ step: work.task.name }, message)
    const digest = createHash('sha256').update(message).digest('hex').slice(0, 12)
    const fact = `${work.task.name}.progressing`
    const event = reply(work, { fact, id: `${fact}-${digest}`, status: 'progress', message }, options)
    posting = posting.then(() => wired.post?.(event)).catch((err) => log.warn({ err }, 'Cannot tell progress'))
  }
  return { progress, told: () => within(brief, posting) }
}

/** Resolves when the promise does, or when the time is up. */
async function within(milliseconds: number, promise: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise((done) => {
    timer = setTimeout(done, milliseconds)
  })
  await Promise.race([promise, timeout])
  clearTimeout(timer)
}
