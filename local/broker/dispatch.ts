import type { Agent } from 'node:http'
import { isSuccess, type Outcome, persist } from './attempts.ts'
import { type CloudEvent, Malformed } from './event.ts'
import { matches } from './filter.ts'
import { type Headers, readEvent, toBinary, toStructured } from './http-form.ts'
import { continued, passedOn } from './pass-on.ts'
import type { Route } from './plan.ts'
import { type Answer, type Message, post } from './post.ts'
import { sniff } from './sniff.ts'

/** What a delivery needs to know of the Broker it happens in. */
export interface Surroundings {
  namespace: string
  /** Where replies go: the Broker's own address, for the dead letter of a reply that was refused. */
  address: string
  agent: Agent
  closing: AbortSignal
  /** Hands a reply to the Broker; resolves with the status of the ingress. */
  accept: (reply: CloudEvent, headers: Headers) => Promise<number>
  /** Told of each delivery that failed for good. */
  warn: (sentence: string) => void
}

/**
 * Delivers an event by a Trigger: filter, subscriber, reply, and the dead letter sink when one of them fails for good.
 * Resolves with whether somebody took the event (or the Trigger does not want it).
 */
export async function deliver(
  event: CloudEvent,
  headers: Headers,
  route: Route,
  around: Surroundings,
): Promise<boolean> {
  const { knativebrokerttl, ...attributes } = event.attributes
  if (!matches(route.filters, attributes)) return true
  const seen = { attributes, data: event.data }
  const outcome = await persist(route.policy, around.closing, (signal) =>
    callSubscriber(seen, headers, route, around, signal),
  )
  if (!isSuccess(outcome.status)) return bury(event, headers, outcome, route, around)
  if (!outcome.reply) return true
  const reply = withTtl(outcome.reply, knativebrokerttl)
  const replied = await persist(route.policy, around.closing, () =>
    sendReply(reply, continued(headers, outcome.headers), around),
  )
  return isSuccess(replied.status) || bury(event, outcome.headers, replied, route, around)
}

async function callSubscriber(
  event: CloudEvent,
  headers: Headers,
  { subscriber, isStructured }: Route,
  { namespace, agent }: Surroundings,
  signal: AbortSignal,
): Promise<Outcome> {
  const message = isStructured ? toStructured(event) : toBinary(event)
  Object.assign(message.headers, passedOn(headers), { 'kn-namespace': namespace, prefer: 'reply' })
  try {
    return judge(await post(subscriber, message, agent, signal), subscriber)
  } catch (cause) {
    const data = Buffer.from(`dispatch error: ${cause instanceof Error ? cause.message : cause}`)
    return { status: 500, headers: {}, error: { destination: subscriber, data } }
  }
}

/** A success must have an event or nothing as its body: all else is a failure, and one that says nothing about itself. */
function judge(answer: Answer, destination: string): Outcome {
  const { status, headers, body, isWhole } = answer
  if (status === 304) return { status, headers }
  if (!isSuccess(status)) return { status, headers, error: { destination, data: body } }
  try {
    const reply = isWhole ? readEvent(headers, body) : undefined
    if (reply) return { status, headers, reply: sniff(reply) }
    return { status: isWhole && body.length === 0 ? status : 502, headers }
  } catch (error) {
    if (!(error instanceof Malformed)) throw error
    return { status: 502, headers }
  }
}

/** A loop of replies ends because each inherits the time to live of the event it answers. */
function withTtl({ attributes, data }: CloudEvent, knativebrokerttl: string | undefined): CloudEvent {
  return { attributes: { ...attributes, ...(knativebrokerttl && { knativebrokerttl }) }, data }
}

async function sendReply(reply: CloudEvent, headers: Headers, { accept, address }: Surroundings): Promise<Outcome> {
  const status = await accept(reply, headers)
  return { status, headers, error: { destination: address, data: Buffer.alloc(0) } }
}

/** Sends the event to the dead letter sink; resolves with whether the sink took it. */
async function bury(
  event: CloudEvent,
  headers: Headers,
  failure: Outcome,
  route: Route,
  around: Surroundings,
): Promise<boolean> {
  const sink = route.deadLetterSink
  around.warn(`Cannot deliver ${describe(event)} by Trigger "${route.name}": ${why(failure, sink)}`)
  if (!sink) return false
  const message = toBinary({ attributes: { ...errorExtensions(failure), ...event.attributes }, data: event.data })
  Object.assign(message.headers, passedOn(headers), { 'kn-namespace': around.namespace })
  const outcome = await persist(route.policy, around.closing, (signal) => callSink(sink, message, around, signal))
  return isSuccess(outcome.status)
}

function describe({ attributes }: CloudEvent): string {
  return `event "${attributes.id}" of type ${attributes.type}`
}

function why({ status, error }: Outcome, sink: string | undefined): string {
  const loss = sink === undefined ? ', and there is no dead letter sink' : ''
  if (status === 0) return `no answer in time${loss}`
  if (!error) return `the answer is neither empty nor an event${loss}`
  const words = error.data.toString('utf8').slice(0, 300)
  return `${status} from ${error.destination}${words === '' ? '' : `: ${words}`}${loss}`
}

/** The real dispatcher has room for 768 bytes of the answer, and falls over when there are more. */
function errorExtensions({ status, error }: Outcome): Record<string, string> {
  if (!error) return {}
  return {
    knativeerrordest: error.destination,
    knativeerrorcode: String(status),
    knativeerrordata: error.data.subarray(0, 768).toString('base64'),
  }
}

async function callSink(
  sink: string,
  message: Message,
  { agent }: Surroundings,
  signal: AbortSignal,
): Promise<Outcome> {
  try {
    const { status, headers } = await post(sink, message, agent, signal)
    return { status, headers }
  } catch {
    return { status: 500, headers: {} }
  }
}
