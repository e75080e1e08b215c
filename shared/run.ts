import { createHash } from 'node:crypto'
import type { Event } from './event.ts'
import { eventType } from './event-types.ts'
import type { Change } from './fleet.ts'
import { type Lifecycle, type Task, type Terminal, terminals } from './lifecycles.ts'
import { oneLine } from './one-line.ts'
import type { SigningKey } from './signature.ts'
import { sign } from './signature.ts'
import type { ExpectedChange, Facts, Failure, Run } from './step.ts'
import { carried } from './telemetry/traces.ts'

/** The data of every event but the request. */
export interface RunData {
  vmName: string
  eventTask: string
  eventSubTask: string
  status: 'progress' | 'success' | 'failure'
  message: string
  requester: string
  since: string
  /** Where it is not `since`. */
  horizon?: string
  deadline: string
  request: Run['request']
  facts: Facts
  changes?: ExpectedChange[]
  draft?: Change[]
  failure?: Failure
}

export interface Limits {
  deadlineMinutes: number
  undoMinutes: number
}

const minute = 60_000
const day = 24 * 60 * minute
const maxHops = 100

/** The run of a request: the same source and id is the same run, however often it is posted. */
export function runId(source: string, id: string): string {
  return createHash('sha256').update(`${source}\n${id}`).digest('hex').slice(0, 20)
}

/** The run that an event belongs to, and what is to be done in it. */
export function toRun(event: Event, fact: string, lifecycle: Lifecycle, task: Task, now: Date, limits: Limits): Run {
  const common = { lifecycle: lifecycle.name, task: task.name, fact, at: now.toISOString(), marks: marksOf(event) }
  if (fact === 'requested') return { ...common, ...fromRequest(event, now, limits) }
  const {
    request,
    facts,
    changes,
    draft,
    failure,
    since,
    deadline,
    requester,
    message,
    horizon = since,
  } = event.data as RunData
  const rest = {
    request,
    facts,
    since,
    deadline,
    horizon,
    requester,
    message,
    ...(changes ? { changes } : {}),
    ...(draft ? { draft } : {}),
    ...(failure ? { failure } : {}),
  }
  return { ...common, id: event.extensions['runid'] ?? '', ...rest }
}

function fromRequest(event: Event, now: Date, limits: Limits) {
  const data = asObject(event.data)
  const minutes = askedMinutes(data) ?? limits.deadlineMinutes
  return {
    id: runId(event.source, event.id),
    // Validate is the one step that gets what it has not yet proved to be a request.
    request: event.data as Run['request'],
    facts: {},
    message: '',
    ...timesOf(event, now),
    deadline: new Date(now.getTime() + minutes * minute).toISOString(),
    source: event.source,
    requester: oneLine(typeof data['requester'] === 'string' ? data['requester'] : event.source, longestRequester),
  }
}

/** How many minutes a request gives its run; undefined where it says nothing that counts. */
function askedMinutes(request: unknown): number | undefined {
  const asked = asObject(request)['deadlineMinutes']
  return typeof asked === 'number' && asked >= 1 && asked <= 1440 ? asked : undefined
}

/** When an undo that begins now must have ended. It may do anew what its run did, so it gets as long where the request asked for more. */
export function undoDeadline(
  { request }: Pick<Run, 'request'>,
  { undoMinutes }: Pick<Limits, 'undoMinutes'>,
  now: Date,
) {
  const minutes = Math.max(undoMinutes, askedMinutes(request) ?? 0)
  return new Date(now.getTime() + minutes * minute).toISOString()
}

/**
 * When the run begins, and from when on to look for what was committed for it. Its sender's clock is believed for
 * neither the future nor a history of more than a week; a request without a time may be one of yesterday that comes again.
 * A run begins an hour before its request came at the earliest: what it keeps for some days is counted from there, and a request that
 * was ordered last month and approved today must not have it over at once.
 */
function timesOf(event: Event, now: Date): { since: string; horizon: string } {
  const said = Date.parse(event.time ?? '')
  const time = now.getTime()
  const made = Number.isNaN(said) ? time : Math.min(said, time)
  const since = Math.max(made, time - 60 * minute)
  const horizon = Number.isNaN(said) ? time - day : Math.max(made, time - 7 * day)
  return { since: new Date(since).toISOString(), horizon: new Date(horizon).toISOString() }
}

const asObject = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}

const longestRequester = 256

/** What is to be done for an event. */
export interface Work {
  event: Event
  lifecycle: Lifecycle
  task: Task
  run: Run
  source: string
}

/** What a reply says beside what it takes over from the run. */
export interface Says {
  fact: string
  /** The end of the event's id where the fact alone does not tell it apart. */
  id?: string
  status: RunData['status']
  message: string
  facts?: Facts
  changes?: ExpectedChange[]
  draft?: Change[]
  failure?: Failure
  deadline?: string
}

/**
 * The event that follows from another one: its id is derived from run and fact, so a redelivery repeats it; what
 * correlates is copied; it is signed.
 */
export function toReply(
  { event, lifecycle, task, run, source }: Work,
  says: Says,
  now: Date,
  keys: readonly SigningKey[],
): Event {
  const facts = says.facts ?? run.facts
  const failure = says.fact === 'completed' ? undefined : (says.failure ?? run.failure)
  const { name: machine, image } = asObject(run.request)
  const name = facts.name ?? text(machine) ?? text(image)
  const data: RunData = {
    vmName: name ?? '',
    eventTask: lifecycle.title,
    eventSubTask: task.title,
    status: says.status,
    message: says.message,
    requester: run.requester,
    since: run.since,
    ...(run.horizon === run.since ? {} : { horizon: run.horizon }),
    deadline: says.deadline ?? run.deadline,
    request: run.request,
    facts,
    ...(says.changes ? { changes: says.changes } : {}),
    ...(says.draft ? { draft: says.draft } : {}),
    ...(failure ? { failure } : {}),
  }
  const subject = subjectOf(run, name)
  const reply: Event = {
    id: `${run.id}-${says.id ?? says.fact}`,
    source,
    type: eventType(lifecycle.name, says.fact),
    ...(subject ? { subject } : {}),
    time: now.toISOString(),
    extensions: extensionsOf(event, run, says.fact, facts),
    data,
  }
  return { ...reply, extensions: { ...reply.extensions, signature: sign(reply, keys) } }
}

function extensionsOf(event: Event, run: Run, fact: string, facts: Facts): Record<string, string> {
  const { traceparent, tracestate, ...marks } = run.marks
  const { correlationid } = marks
  const passedOn = { ...(traceparent && { traceparent }), ...(tracestate && { tracestate }) }
  return {
    runid: run.id,
    causationid: toHeader(event.id),
    partitionkey: run.id,
    // What a request says of hops was counted by nobody; a run that began near the limit would end half way.
    hops: String(run.fact === 'requested' ? 1 : hopsOf(event) + 1),
    ...(facts.cluster ? { cluster: facts.cluster } : {}),
    ...marks,
    // Where steps are traced, what follows is caused by this one's span.
    ...(carried() ?? passedOn),
    ...(correlationid && isTerminal(fact) ? { replyid: correlationid } : {}),
  }
}

function marksOf({ extensions }: Event): Run['marks'] {
  const { traceparent, tracestate, correlationid } = extensions
  const isTraced = traceparent !== undefined && isTrace(traceparent)
  return {
    ...(isTraced ? { traceparent } : {}),
    ...(isTraced && tracestate !== undefined && isState(tracestate) ? { tracestate } : {}),
    ...(correlationid !== undefined && isHeader(correlationid) ? { correlationid } : {}),
  }
}

// An event in structured form may carry anything; a header takes ASCII alone, and no server takes endless ones.
const isHeader = (value: string) => /^[\x21-\x7e]{1,512}$/.test(value)
const isState = (value: string) => /^[\x21-\x7e]([\x20-\x7e]{0,510}[\x21-\x7e])?$/.test(value)
const isTrace = (value: string) => /^[0-9a-f]{2}(-[0-9a-f]{1,64}){3}$/.test(value)
const toHeader = (value: string) => value.replace(/[^\x21-\x7e]/g, '?').slice(0, 256)

export const isTerminal = (fact: string): fact is Terminal => (terminals as readonly string[]).includes(fact)

/** How many events lie between the request and this one; brokers without a time to live would let a loop run for ever. */
export const hopsOf = (event: Event): number => {
  const hops = Number(event.extensions['hops'] ?? 0)
  return Number.isInteger(hops) && hops >= 0 ? hops : maxHops
}
export const isLoop = (event: Event): boolean => hopsOf(event) >= maxHops

/** `<namespace>/<name>`, as far as they are known and fit for a header. */
function subjectOf(run: Run, name: string | undefined): string | undefined {
  const namespace = text(asObject(run.request)['namespace'])
  const isLabel = (word: string | undefined) => word !== undefined && /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(word)
  return isLabel(namespace) ? `${namespace}/${isLabel(name) ? name : run.id}` : undefined
}

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
