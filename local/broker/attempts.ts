import { setTimeout as sleep } from 'node:timers/promises'
import type { CloudEvent } from './event.ts'
import type { Headers } from './http-form.ts'
import type { Policy } from './plan.ts'

/** How an attempt ended. Status 0: no answer in time. The dead letter tells of `error` where the real one does. */
export interface Outcome {
  status: number
  headers: Headers
  reply?: CloudEvent
  error?: { destination: string; data: Buffer }
}

type Attempt = (signal: AbortSignal) => Promise<Outcome>

// What a timer can wait at most.
const longest = 2 ** 31 - 1

/** Makes attempts until one succeeds, is refused for good, or was the last; throws when the Broker closes. */
export async function persist(
  { retry, pause, timeout }: Policy,
  closing: AbortSignal,
  attempt: Attempt,
): Promise<Outcome> {
  for (let n = 0; ; n++) {
    const outcome = await (timeout === undefined ? attempt(closing) : within(timeout, closing, attempt))
    closing.throwIfAborted()
    if (n >= retry || !isRetried(outcome.status)) return outcome
    await sleep(Math.min(pause(n), longest), undefined, { signal: closing })
  }
}

/** Whether an answer of this status means that the event was taken. */
export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300
}

function isRetried(status: number): boolean {
  return status === 0 || status >= 500 || [404, 408, 409, 429].includes(status)
}

async function within(timeout: number, closing: AbortSignal, attempt: Attempt): Promise<Outcome> {
  closing.throwIfAborted()
  const over = new AbortController()
  const { promise: noAnswer, resolve, reject } = Promise.withResolvers<Outcome>()
  const close = () => {
    reject(closing.reason)
    over.abort()
  }
  const timer = setTimeout(
    () => {
      resolve({ status: 0, headers: {} })
      over.abort()
    },
    Math.min(timeout, longest),
  )
  closing.addEventListener('abort', close, { once: true })
  try {
    return await Promise.race([attempt(over.signal), noAnswer])
  } finally {
    clearTimeout(timer)
    closing.removeEventListener('abort', close)
  }
}
