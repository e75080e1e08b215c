import { DroverError, messageOf } from '../errors.ts'
import { callSeconds, calls } from './metrics.ts'
import { failSpan, SpanKind, spanned } from './traces.ts'

/** Who is called. */
export type Callee =
  | 'git fetch'
  | 'git push'
  | 'kubernetes'
  | 'kubernetes watch'
  | 'broker'
  | 'cmdb'
  | 'dns'
  | 'callback'

/** A call to the outside: never an address, which may hold a password or a query, and nothing that is sent. */
export interface Call {
  to: Callee
  /** What is asked there, in a few fixed words: `list virtualmachines`. */
  what?: string
  cluster?: string
  /** A host's name, where one callee has several. */
  host?: string
}

/** What came of a call, in one word; and what failed, in a sentence without a secret. */
export interface Result {
  outcome: string
  failure?: string
}

/** Makes a call in a span of its own, and counts it. Where a failure is an answer and not an error, `read` says so. */
export function outside<T>(call: Call, act: () => Promise<T>, read: (answer: T) => Result = fine): Promise<T> {
  const { to, what, cluster = '', host } = call
  const attributes = {
    ...(cluster === '' ? {} : { 'drover.cluster': cluster }),
    ...(host === undefined ? {} : { 'server.address': host }),
  }
  const name = what === undefined ? to : `${to} ${what}`
  return spanned(name, to === 'broker' ? SpanKind.PRODUCER : SpanKind.CLIENT, attributes, async (span) => {
    const started = performance.now()
    const note = ({ outcome, failure }: Result) => {
      calls.inc({ to, cluster, outcome })
      callSeconds.observe({ to }, (performance.now() - started) / 1_000)
      span.setAttribute('drover.outcome', outcome)
      if (failure !== undefined) failSpan(span, failure)
    }
    try {
      const answer = await act()
      note(read(answer))
      return answer
    } catch (error) {
      note(resultOf(error))
      throw error
    }
  })
}

const fine = (): Result => ({ outcome: 'ok' })

/** Our own errors are written for people; what libraries say may quote what they were given. */
function resultOf(error: unknown): Result {
  const { name, code, statusCode } = (error ?? {}) as { name?: unknown; code?: unknown; statusCode?: unknown }
  // Who has seen enough ends what it watches.
  if (name === 'AbortError') return { outcome: 'ended' }
  if (error instanceof DroverError) return { outcome: error.reason, failure: messageOf(error) }
  const status = [code, statusCode].find((one) => typeof one === 'number' && one >= 100)
  if (status === 404 || status === 409) return { outcome: String(status) }
  if (status !== undefined) return { outcome: String(status), failure: `it answered ${status}` }
  return { outcome: 'failed', failure: 'it does not answer' }
}
