import {
  type Context,
  context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import { DroverError } from '../errors.ts'
import { withoutSecrets } from '../secrets.ts'

/**
 * Traces by the API of OpenTelemetry alone, which does nothing until `export.ts` has registered an SDK: without one no span
 * is made, and an event's trace is passed on as it came.
 */

export type Attributes = Record<string, string | number>

/** The attributes of an event that say which trace it belongs to. */
export interface TraceMarks {
  traceparent?: string
  tracestate?: string
}

const tracer = trace.getTracer('drover')

/** Does something in a span of its own, as a part of what an event's trace says. */
export const continued = <T>(name: string, marks: TraceMarks, act: (span: Span) => Promise<T>): Promise<T> =>
  spanned(name, SpanKind.CONSUMER, {}, act, propagation.extract(ROOT_CONTEXT, marks))

/** Does something in a span below the one that is under way, ended whatever comes of it. */
export function spanned<T>(
  name: string,
  kind: SpanKind,
  attributes: Attributes,
  act: (span: Span) => Promise<T>,
  parent: Context = context.active(),
  others: readonly Context[] = [],
): Promise<T> {
  const links = others.flatMap((one) => trace.getSpanContext(one) ?? []).map((found) => ({ context: found }))
  return tracer.startActiveSpan(name, { kind, attributes, links }, parent, (span) =>
    act(span).finally(() => span.end()),
  )
}

/** Says of a span that what it stands for failed; secrets that others have put into the words are taken out. */
export const failSpan = (span: Span, message: string): void =>
  void span.setStatus({ code: SpanStatusCode.ERROR, message: withoutSecrets(message) })

/** The same by what was thrown: our own errors are written for people, what libraries say may quote what they were given. */
export const failSpanBy = (span: Span, error: unknown): void =>
  failSpan(span, error instanceof DroverError ? error.message : 'it failed, the log has the cause')

/** What an event that is made now says of its trace; undefined where nothing is traced. */
export function carried(): TraceMarks | undefined {
  const marks: TraceMarks = {}
  propagation.inject(context.active(), marks)
  return marks.traceparent === undefined ? undefined : marks
}

/** The id of the trace that is under way, for the log. */
export const traceId = (): string | undefined => trace.getSpanContext(context.active())?.traceId

/** What is under way here, for work that is done on behalf of several. */
export const underWay = (): Context => context.active()
export type { Context, Span }
export { SpanKind }
