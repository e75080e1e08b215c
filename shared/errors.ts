/** Why something could not be done; the shell turns each reason into one kind of answer. */
export type Reason =
  /** The request cannot be granted: it says why, the run fails with that sentence. */
  | 'refused'
  /** Not our event, or its data breaks the schema: 400, never retried. */
  | 'unreadable'
  /** Signed by nobody we know: 403, never retried. */
  | 'forged'
  /** Not now: a lock is held, Git moved, a cluster is busy. 503, the Broker delivers again. */
  | 'busy'
  /** An upstream or we ourselves failed: 500, the Broker delivers again; the cause is logged, never answered. */
  | 'broken'

/**
 * The one error class. `reason`, not `code`: faas-js-runtime would take a `code` for an HTTP status. The message is
 * written for the person who made the request and holds no secret; what must only be logged goes into `cause`.
 */
export class DroverError extends Error {
  readonly reason: Reason

  constructor(reason: Reason, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'DroverError'
    this.reason = reason
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
