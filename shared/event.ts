import { CloudEvent, HTTP } from 'cloudevents'
import { DroverError, messageOf } from './errors.ts'
import { readFrom, sentAs } from './event-data.ts'
import { oneLine } from './one-line.ts'

/** A CloudEvent as Drover handles it: the attributes it uses by name, every other one under `extensions`. */
export interface Event {
  id: string
  source: string
  type: string
  subject?: string
  time?: string
  extensions: Record<string, string>
  data: unknown
  /** Why `data` could not be read; then `data` is undefined. */
  dataProblem?: string
}

/** The headers and body of an HTTP request or answer, header names in lower case. */
export interface Message {
  headers: Record<string, string>
  body: string
}

/**
 * Bytes of a request's data, and of any other event's: what the chain itself makes is larger than what people ask for. A
 * Kafka Broker takes records of 1 MiB (`max.request.size`), key and attributes among them: 24 KiB are left for those, for
 * Node reads 16 KiB of headers.
 */
const requestLimit = 128 * 1024
export const eventLimit = 1000 * 1024

/** What a parser says may quote what it read, line breaks and all. */
const quoted = (text: string) => oneLine(text, 200)

const unreadable = (message: string) => new DroverError('unreadable', `Cannot read the event: ${message}`)

/**
 * Reads an event in binary or structured mode. Stricter than the SDK, which makes up a missing id and takes any
 * specversion: what Knative would not accept is unreadable here too. Bad data is not: it is `validate` that answers it.
 */
export function readEvent(headers: Record<string, string | undefined>, body: string): Event {
  const mediaType = (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
  if (mediaType.startsWith('application/cloudevents-batch')) throw unreadable('it is a batch, wanted one event')
  const event = mediaType.startsWith('application/cloudevents')
    ? readStructured(mediaType, body)
    : readBinary(headers, mediaType, body)
  const bytes = Buffer.byteLength(body)
  const limit = event.type.endsWith('.requested') ? requestLimit : eventLimit
  if (bytes > limit)
    return { ...event, data: undefined, dataProblem: `the event is ${bytes} bytes long, wanted at most ${limit}` }
  if (event.dataProblem !== undefined) return event
  const dataProblem = problemIn(event.data)
  return dataProblem === undefined ? event : { ...event, data: undefined, dataProblem }
}

const deepest = 64

/** What JSON can say and nobody could say again: it would be signed as one thing and read as another, or not at all. */
function problemIn(data: unknown): string | undefined {
  if (data === undefined || data === null || data === '') return 'the event has no data, wanted a JSON object'
  return problemAt(data, 0)
}

function problemAt(value: unknown, depth: number): string | undefined {
  if (typeof value === 'number' && !Number.isFinite(value)) return 'the data holds a number that is too large'
  if (typeof value === 'string' && !value.isWellFormed()) return 'the data holds half of a Unicode character'
  if (typeof value !== 'object' || value === null) return undefined
  if (depth >= deepest) return `the data is nested more than ${deepest} levels deep`
  for (const [name, inner] of Object.entries(value)) {
    const problem = problemAt(name, depth) ?? problemAt(inner, depth + 1)
    if (problem !== undefined) return problem
  }
  return undefined
}

function readStructured(mediaType: string, body: string): Event {
  if (mediaType !== 'application/cloudevents+json')
    throw unreadable(`its format is ${quoted(mediaType)}, wanted application/cloudevents+json`)
  let parsed: unknown
  try {
    parsed = JSON.parse(body)
  } catch (cause) {
    throw new DroverError('unreadable', `Cannot read the event: it is not JSON: ${quoted(messageOf(cause))}`, {
      cause,
    })
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw unreadable('it is not a JSON object')
  const { data, data_base64, datacontenttype, ...attributes } = parsed as Record<string, unknown>
  const given = Object.entries(attributes).filter(([, value]) => value !== null)
  if (given.some(([, value]) => typeof value === 'object')) throw unreadable('an attribute is not text')
  const texts = Object.fromEntries(given.map(([name, value]) => [name, String(value)]))
  if (data_base64 !== undefined)
    return { ...toEvent(texts), data: undefined, dataProblem: 'the data is binary, wanted a JSON object' }
  return { ...toEvent(texts), data }
}

function readBinary(headers: Record<string, string | undefined>, mediaType: string, body: string): Event {
  const attributes = Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      name.startsWith('ce-') && value !== undefined ? [[name.slice(3), value]] : [],
    ),
  )
  const event = toEvent(attributes)
  if (body === '') return { ...event, data: undefined }
  if (mediaType !== '' && mediaType !== 'application/json' && !mediaType.endsWith('+json')) {
    return { ...event, data: undefined, dataProblem: `the data is ${quoted(mediaType)}, wanted application/json` }
  }
  try {
    const data: unknown = JSON.parse(body)
    readFrom(body, data)
    return { ...event, data }
  } catch (error) {
    return { ...event, data: undefined, dataProblem: `the data is not JSON: ${quoted(messageOf(error))}` }
  }
}

function toEvent({
  specversion,
  id,
  source,
  type,
  subject,
  time,
  dataschema: _,
  ...extensions
}: Record<string, string>): Event {
  if (specversion === undefined) throw unreadable('it is no CloudEvent: it has no specversion, wanted "1.0"')
  if (specversion !== '1.0') throw unreadable(`its specversion is not supported, wanted "1.0"`)
  const bad = Object.keys(extensions).find((name) => !/^[a-z0-9]{1,20}$/.test(name))
  if (bad !== undefined) throw unreadable('the name of an extension is not made of lower-case letters and digits')
  // Nobody could sign it, nor say whose signature it has.
  const texts = [id, source, type, subject, time, ...Object.values(extensions)]
  if (texts.some((text) => text?.isWellFormed() === false)) throw unreadable('an attribute is not well-formed Unicode')
  if (!id || !source || !type) throw unreadable('it lacks id, source or type')
  return { id, source, type, ...(subject ? { subject } : {}), ...(time ? { time } : {}), extensions, data: undefined }
}

/** Writes an event in binary mode, as Knative delivers it. */
export function writeEvent({ id, source, type, subject, time, extensions, data }: Event): Message {
  const attributes = { id, source, type, ...(subject ? { subject } : {}), ...(time ? { time } : {}), ...extensions }
  const json = { datacontenttype: 'application/json', data: sentAs(data) }
  const { headers, body } = HTTP.binary(new CloudEvent({ ...attributes, ...json }))
  return { headers: headers as Record<string, string>, body: body as string }
}
