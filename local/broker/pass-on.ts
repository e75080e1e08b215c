import type { Headers } from './http-form.ts'

const traceparent = /^[\da-f]{2}-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}$/

/** The few headers, besides the event's own, that Knative passes on with an event. */
export function passedOn(headers: Headers): Headers {
  return Object.fromEntries(Object.entries(headers).filter(([name, value]) => isPassedOn(name, value)))
}

/** The headers of a reply: those of the answer, in the trace of the event that it answers. */
export function continued(event: Headers, answer: Headers): Headers {
  const trace = event['traceparent']
  return trace === undefined ? answer : { ...answer, traceparent: trace }
}

function isPassedOn(name: string, value: string): boolean {
  if (name === 'traceparent') return traceparent.test(value)
  return name === 'x-request-id' || name === 'retry-after' || name.startsWith('knative-') || name.startsWith('x-b3-')
}
