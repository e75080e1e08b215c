import { createHash } from 'node:crypto'
import type { Log } from '../log.ts'
import type { Here } from '../step.ts'
import { reply } from './reply.ts'
import type { ShellOptions, Wired, Work } from './work.ts'

/** How long the work waits for the Broker to take a progress event, in milliseconds. */
const brief = 250

/**
 * Tells progress through the Broker, each message once; a Broker that cannot be reached must not stop the work, and a
 * slow one not hold it up. While it is fast, progress comes before the answer that it leads to.
 */
export function teller(work: Work, wired: Wired, options: ShellOptions, log: Log): Here['progress'] {
  let last = ''
  return async (message) => {
    if (message === last) return
    last = message
    log.info({ run: work.run.id, task: work.task.name }, message)
    const digest = createHash('sha256').update(message).digest('hex').slice(0, 12)
    const fact = `${work.task.name}.progressing`
    const event = reply(work, { fact, id: `${fact}-${digest}`, status: 'progress', message }, options)
    const posting = wired.post?.(event).catch((err) => log.warn({ err }, 'Cannot tell progress'))
    if (posting) await within(brief, posting)
  }
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
