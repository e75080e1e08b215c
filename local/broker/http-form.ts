import { type Attributes, type CloudEvent, isJson, Malformed, schemaName, setAttribute } from './event.ts'
import { readStructured } from './structured.ts'

/** Headers by lower-case name; of a header given twice the first counts. */
export type Headers = Record<string, string>

/** The headers of a message as text: on the wire they are UTF-8, which Node shows as Latin-1. */
export function readHeaders(distinct: NodeJS.Dict<string[]>): Headers {
  const entries = Object.entries(distinct).map(([name, values]) => [name, values?.[0] ?? ''] as const)
  return Object.fromEntries(entries.map(([name, value]) => [name, Buffer.from(value, 'latin1').toString('utf8')]))
}

/** Headers as Node wants them, so that they are UTF-8 on the wire. */
export function writeHeaders(headers: Headers): Headers {
  const entries = Object.entries(headers).map(([name, value]) => [name, Buffer.from(value, 'utf8').toString('latin1')])
  return Object.fromEntries(entries)
}

/** The event of a message in binary or structured form; undefined when it is no event; throws Malformed when broken. */
export function readEvent(headers: Headers, data: Buffer): CloudEvent | undefined {
  const contentType = headers['content-type']?.split(';')[0]?.trim().toLowerCase()
  if (contentType === 'application/cloudevents+json') return readStructured(data.toString('utf8'))
  if (contentType === 'application/cloudevents-batch+json') throw new Malformed('Cannot read the event: it is a batch')
  const specversion = headers['ce-specversion']
  if (specversion !== '1.0' && specversion !== '0.3') return undefined
  return readBinary(headers, specversion, data)
}

function readBinary(headers: Headers, specversion: string, data: Buffer): CloudEvent {
  const attributes: Attributes = { specversion }
  for (const [header, value] of Object.entries(headers)) {
    if (!header.startsWith('ce-') || header === 'ce-specversion') continue
    if (header === 'ce-datacontenttype') throw new Malformed('Cannot read the event: ce-datacontenttype is no header')
    setAttribute(attributes, header.slice(3), value)
  }
  setAttribute(attributes, 'datacontenttype', headers['content-type'] ?? '')
  return { attributes, data }
}

/** The headers and body of an event in binary form. */
export function toBinary({ attributes, data }: CloudEvent): { headers: Headers; body: Buffer } {
  const headers: Headers = {}
  for (const [name, value] of named(attributes)) {
    headers[name === 'datacontenttype' ? 'content-type' : `ce-${name}`] = value
  }
  return { headers, body: data }
}

/** The headers and body of an event in structured form. */
export function toStructured(event: CloudEvent): { headers: Headers; body: Buffer } {
  return { headers: { 'content-type': 'application/cloudevents+json' }, body: Buffer.from(toJson(event)) }
}

/** An event as JSON text. Data that is not JSON becomes a string: the real Broker spoils octets in the same way. */
export function toJson({ attributes, data }: CloudEvent): string {
  const members = named(attributes).map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`)
  const text = data.toString('utf8')
  if (data.length > 0) members.push(`"data":${isJson(attributes.datacontenttype) ? text : JSON.stringify(text)}`)
  return `{${members.join(',')}}`
}

/** Whether every attribute can be a header: a line break cannot. */
export function fitsHeaders({ attributes }: CloudEvent): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what HTTP forbids
  return named(attributes).every(([, value]) => !/[\x00-\x08\x0a-\x1f\x7f]/.test(value))
}

function named(attributes: Attributes): [string, string][] {
  const entries = Object.entries(attributes).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return entries.map(([name, value]) => [name === 'dataschema' ? schemaName(attributes) : name, value])
}
