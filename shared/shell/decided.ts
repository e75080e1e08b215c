import { DroverError, messageOf } from '../errors.ts'
import { terminalOf } from '../event-types.ts'
import type { Log } from '../log.ts'
import type { Work } from '../run.ts'
import type { Outcome } from '../step.ts'
import { deliveries, retries, runEnds, steps } from '../telemetry/metrics.ts'
import { failSpan, type Span } from '../telemetry/traces.ts'
import type { Answer } from './work.ts'

/** What was decided on a delivery: its answer, and what log, metrics and trace are told of it. */
export interface Decided {
  answer: Answer
  /** What the step came to; `failed` by an error, `buried` as a dead letter, `swept` at a tick, `declined` before any step. */
  outcome: Outcome['kind'] | 'failed' | 'buried' | 'swept' | 'declined'
  message: string
  /** What was to be done, once the event was believed. */
  work?: Work
  /** For the log alone. */
  error?: unknown
}

/** Errors by their reason; what is not ours is broken, and its words stay in the log. */
export function failedBy(error: unknown, work?: Work): Decided {
  const reason = error instanceof DroverError ? error.reason : 'broken'
  const message = messageOf(error)
  const common = { outcome: 'failed', message, ...(work ? { work } : {}) } as const
  if (reason === 'unreadable') return { ...common, outcome: 'declined', answer: { status: 400, message } }
  if (reason === 'forged') return { ...common, outcome: 'declined', answer: { status: 403, message } }
  if (reason === 'busy') return { ...common, error, answer: { status: 503, message } }
  const unsaid = 'Cannot go on: something this step needs has failed, the log has the cause'
  return { ...common, error, answer: { status: 500, message: unsaid } }
}

/** Tells of a decision, once: one line in the log, the metrics, the span. */
export function tell({ answer, outcome, message, work, error }: Decided, log: Log, span: Span, seconds: number): void {
  const { status } = answer
  const isLeft = 'event' in answer && terminalOf(answer.event.type) === 'stranded'
  const of = work ? { lifecycle: work.lifecycle.name, step: work.task.name } : {}
  const became = 'event' in answer ? { answered: answer.event.type } : {}
  const fields = { ...of, outcome, status, ...became, milliseconds: Math.round(seconds * 1_000) }
  log[isLeft ? 'error' : levelOf(answer, outcome, error)](
    { ...fields, ...(error === undefined ? {} : { err: error }) },
    message,
  )

  deliveries.inc({ status })
  if (status === 500 || status === 503) retries.inc({ of: 'delivery' })
  if (work) steps.observe({ lifecycle: work.lifecycle.name, task: work.task.name, outcome }, seconds)
  if (work && 'event' in answer) countEnd(work, answer.event.type)

  if (work) span.updateName(`${work.lifecycle.name} ${work.task.name}`)
  span.setAttributes({
    'drover.outcome': outcome,
    ...(work && { 'drover.run': work.run.id, 'drover.lifecycle': work.lifecycle.name, 'drover.task': work.task.name }),
  })
  // What an error of a library says may quote a secret; our own answers are made for others to read.
  if (error !== undefined || isLeft || status === 400 || status === 403 || outcome === 'refused')
    failSpan(span, 'message' in answer ? answer.message : message)
}

/** Counts a run that has ended, by the last word of the event that says so. */
export function countEnd({ lifecycle }: Work, type: string): void {
  const end = terminalOf(type)
  if (end) runEnds.inc({ lifecycle: lifecycle.name, end })
}

function levelOf({ status }: Answer, outcome: Decided['outcome'], error: unknown): 'info' | 'warn' | 'error' {
  if (status === 500 || outcome === 'buried' || (error !== undefined && status < 400)) return 'error'
  return error !== undefined || status === 400 || status === 403 ? 'warn' : 'info'
}
