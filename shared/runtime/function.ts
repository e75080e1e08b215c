import { type Config, environment, readConfig } from '../config.ts'
import { DroverError } from '../errors.ts'
import { type Event, type Message, readEvent, writeEvent } from '../event.ts'
import { isTick } from '../event-types.ts'
import type { FunctionName } from '../lifecycles.ts'
import { createLog, type Log } from '../log.ts'
import { withoutSecrets } from '../secrets.ts'
import { createShell, type Shell } from '../shell/shell.ts'
import type { Answer, Wired } from '../shell/work.ts'
import type { Exporting } from '../telemetry/export.ts'
import { deliveries } from '../telemetry/metrics.ts'
import { aside, deadHeader } from './guard.ts'

/** Connects a function to the world; called once, at its first event. */
export type Wire = (config: Config, log: Log) => Wired | Promise<Wired>

/** What faas-js-runtime passes to a function. */
interface Context {
  headers: Record<string, string | undefined>
  body: unknown
  method: string
}

interface HttpAnswer {
  statusCode: number
  headers: Record<string, string>
  body: string
}

/** A module as faas-js-runtime takes it. */
export interface RuntimeFunction {
  handle(context: Context): Promise<HttpAnswer>
  /** Told of a request that is refused before the shell, which tells of all others. */
  refused(status: number, sentence: string): void
  /** Resolves once it may take events; at once where nothing is exported. */
  init(): void | Promise<void>
  /** Waits until every event that is being worked on has its answer: the runtime would cut them off. */
  shutdown(): Promise<void>
  cors(): string[]
  /** Alive while it answers at all: the runtime's own test fails under load, and Kubernetes would kill who is busy. */
  liveness(request: unknown, reply: Reply): void
  readiness(request: unknown, reply: Reply): void
}

/** The part of fastify's reply that probes need. */
interface Reply {
  code(status: number): Reply
  send(body: string): void
}

/** The runtime's module for one function. */
export const toFunction = (name: FunctionName, wire: Wire, config?: Config): RuntimeFunction =>
  serve(name, async () => wire, config)

/** The runtime's module for the function that the configuration names, or for all of them. */
export function serve(
  name: FunctionName | undefined,
  load: (name: FunctionName) => Promise<Wire>,
  given?: Config,
): RuntimeFunction {
  let shell: Shell | undefined
  let log: Log | undefined
  const draining = new AbortController()
  const pending = new Set<Promise<unknown>>()
  const wired = new Map<FunctionName, Promise<Wired>>()
  let exporting: Exporting | undefined

  function init() {
    const config = given ?? readConfig(environment())
    const ours = createLog(config.logLevel, name ?? 'any')
    log = ours
    const connect = async (one: FunctionName) => (await load(one))(config, ours)
    shell = createShell({
      name,
      wired: (one) => wired.get(one) ?? remember(one, connect(one)),
      keys: () => config.signingKeys((sentence) => ours.error(sentence)),
      limits: config,
      patienceMilliseconds: config.patienceSeconds * 1000,
      closing: draining.signal,
      now: () => new Date(),
      log: ours,
    })
    return config.exports ? begin(ours) : undefined
  }

  /** The SDK that exports takes longer to load than all of a function that does not. */
  async function begin(ours: Log) {
    const { startExport } = await import('../telemetry/export.ts')
    exporting = startExport(name === undefined ? 'drover' : `drover-${name}`, ours)
  }

  /** A function that could not be connected tries again at the next event. */
  function remember(one: FunctionName, connecting: Promise<Wired>) {
    wired.set(one, connecting)
    connecting.catch(() => wired.delete(one))
    return connecting
  }

  async function handle(context: Context): Promise<HttpAnswer> {
    if (draining.signal.aborted) return text(503, 'Cannot take the event: this instance is shutting down')
    const answering = answer(context, shell, name, refused)
    pending.add(answering)
    return answering.finally(() => pending.delete(answering))
  }

  /** One line for each, as of every decision: who floods us with such requests floods the log of a proxy as well. */
  function refused(status: number, sentence: string, fields: object = {}) {
    deliveries.inc({ status })
    log?.warn({ outcome: 'declined', status, ...fields }, sentence)
  }

  async function shutdown() {
    // Who waits for a cluster answers 'not yet', and the Broker delivers to the next instance.
    draining.abort()
    await Promise.allSettled(pending)
    const open = await Promise.allSettled(wired.values())
    await Promise.allSettled(open.map((one) => (one.status === 'fulfilled' ? one.value.close?.() : undefined)))
    await exporting?.flush()
  }

  return {
    handle,
    refused: (status, sentence) => refused(status, sentence),
    init,
    shutdown,
    cors: () => [],
    liveness: (_, reply) => reply.send('OK'),
    readiness: (_, reply) => {
      const isReady = shell !== undefined && !draining.signal.aborted
      reply.code(isReady ? 200 : 503).send(isReady ? 'OK' : 'Not now')
    },
  }
}

async function answer(
  context: Context,
  shell: Shell | undefined,
  name: FunctionName | undefined,
  refused: (status: number, sentence: string, fields?: object) => void,
): Promise<HttpAnswer> {
  if (!shell) return text(503, 'Cannot take the event: this instance is still starting')
  if (context.method !== 'POST') {
    const sentence = 'Cannot answer: wanted a POST of a CloudEvent'
    refused(405, sentence)
    return text(405, sentence)
  }
  const headers = restored(context.headers)
  let event: Event
  try {
    event = readEvent(headers, bodyOf(context.body))
  } catch (error) {
    const sentence = error instanceof DroverError ? error.message : 'Cannot read the event: it has no form of one'
    refused(400, withoutQuote(sentence), claimsOf(headers))
    return text(400, sentence)
  }
  return toHttp(await shell({ event, dead: isDead(event, headers, name) }))
}

/** What a parser says quotes what it read, which is for who sent it and not for the log: what we found is said before that. */
const withoutQuote = (sentence: string) => sentence.split(': ', 2).join(': ')

/** What somebody says that the event is which could not be read, as far as it is worth a line. */
function claimsOf({ 'ce-id': id, 'ce-type': type }: Context['headers']): object {
  return { ...(id && { causation: id.slice(0, 100) }), ...(type && { type: type.slice(0, 100) }) }
}

/** The headers as they were before the guard; without a guard they are as they came. */
function restored(headers: Context['headers']): Context['headers'] {
  const { [aside['content-type']]: type, [aside['ce-id']]: id, ...rest } = headers
  if (rest['content-type'] !== 'application/octet-stream') return headers
  const { 'content-type': _, ...others } = rest
  return {
    ...others,
    ...(type === undefined ? {} : { 'content-type': type }),
    ...(id === undefined ? {} : { 'ce-id': id }),
  }
}

function bodyOf(body: unknown): string {
  if (Buffer.isBuffer(body)) return body.toString('utf8')
  return typeof body === 'string' ? body : JSON.stringify(body ?? '')
}

/**
 * Triggers have their dead letters brought to a path of their own: Kafka's dispatcher asks a sink for a reply as it asks all others.
 * Without it, a dead letter has been through a Broker (it has a time to live or names its error) and asks for no reply; and
 * `recover` wakes by itself only for failures and ticks.
 */
function isDead(event: Event, headers: Context['headers'], name: FunctionName | undefined): boolean {
  if (name !== undefined && name !== 'recover') return false
  if (headers[deadHeader] !== undefined) return true
  const { knativeerrordest, knativeerrorcode, knativebrokerttl } = event.extensions
  if (knativeerrordest !== undefined || knativeerrorcode !== undefined) return headers['prefer'] !== 'reply'
  if (name === 'recover' && !event.type.endsWith('.failed') && !isTick(event.type)) return true
  return knativebrokerttl !== undefined && headers['prefer'] !== 'reply'
}

function toHttp(answer: Answer): HttpAnswer {
  if (answer.status === 204) return { statusCode: 204, headers: {}, body: '' }
  if (answer.status !== 200) return text(answer.status, answer.message)
  const message: Message = writeEvent(answer.event)
  return { statusCode: 200, headers: message.headers, body: message.body }
}

/** A Knative dispatcher with a dead letter sink breaks on error bodies above 768 bytes. */
const text = (statusCode: number, message: string): HttpAnswer => ({
  statusCode,
  headers: { 'content-type': 'text/plain; charset=utf-8' },
  // A character that is cut in half becomes one of three bytes.
  body: Buffer.from(withoutSecrets(message)).subarray(0, 495).toString('utf8'),
})
