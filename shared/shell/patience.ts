import { undo } from '../lifecycles.ts'
import type { Run } from '../step.ts'
import type { ShellOptions } from './work.ts'

/** What a delivery still looks for beyond its run's deadline, in milliseconds. */
const lastLook = 500

/** An undo that began late has another deadline than its event says: it goes by its record, and looks as long as any. */
function leftOf({ task, deadline }: Run, now: number): number {
  const left = Date.parse(deadline) - now
  if (left > lastLook) return left
  return task === undo.name ? Number.POSITIVE_INFINITY : lastLook
}

/**
 * Gives a step its patience: it ends when the Broker would wait no longer, at the run's deadline, or with the instance. The timer
 * holds on to what it ends: of `AbortSignal.any` over `AbortSignal.timeout`, who listens only after a while may never hear.
 */
export async function withPatience<T>(
  run: Run,
  { now, patienceMilliseconds, closing }: ShellOptions,
  act: (patience: AbortSignal) => Promise<T>,
): Promise<T> {
  const left = leftOf(run, now().getTime())
  const patience = new AbortController()
  const end = () => patience.abort()
  const timer = setTimeout(end, Math.min(patienceMilliseconds, left))
  if (closing?.aborted) end()
  closing?.addEventListener('abort', end)
  try {
    return await act(patience.signal)
  } finally {
    clearTimeout(timer)
    closing?.removeEventListener('abort', end)
  }
}
