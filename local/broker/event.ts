import { toUtc } from './time.ts'
import { isAbsolute, toUriReference } from './uri.ts'

/** The attributes of an event by name, all as text. `dataschema` is called `schemaurl` in events of version 0.3. */
export interface Attributes {
  specversion: string
  id?: string
  source?: string
  type?: string
  subject?: string
  time?: string
  dataschema?: string
  datacontenttype?: string
  [extension: string]: string | undefined
}

/** An event as the Broker holds it. `data` is empty when there is none, as in HTTP. */
export interface CloudEvent {
  attributes: Attributes
  data: Buffer
}

/** Something that says it is an event and cannot be read as one. */
export class Malformed extends Error {
  override name = 'Malformed'
}

/** Sets one attribute, written as the real Broker would write it; throws Malformed when the value or name is wrong. */
export function setAttribute(attributes: Attributes, name: string, value: string): void {
  if (name === 'source') attributes.source = required(toUriReference(value), name, value, 'a URI reference')
  else if (name === schemaName(attributes)) setSchema(attributes, value)
  else if (name === 'time') attributes.time = required(toUtc(value), name, value, 'an RFC 3339 time')
  else if (name === 'id' || name === 'type') attributes[name] = value
  else if (name === 'subject' || name === 'datacontenttype') setUnlessEmpty(attributes, name, value)
  else if (/^[a-z0-9]+$/.test(name)) attributes[name] = value
  else throw new Malformed(`Cannot read the event: its attribute "${name}" has a name of other than a-z and 0-9`)
}

/** What `dataschema` is called in this version. */
export function schemaName(attributes: Attributes): 'dataschema' | 'schemaurl' {
  return attributes.specversion === '0.3' ? 'schemaurl' : 'dataschema'
}

function setSchema(attributes: Attributes, value: string): void {
  setUnlessEmpty(attributes, 'dataschema', required(toUriReference(value), 'dataschema', value, 'a URI'))
}

function setUnlessEmpty(attributes: Attributes, name: string, value: string): void {
  if (value.trim() !== '') attributes[name] = value
}

function required(value: string | undefined, name: string, is: string, wanted: string): string {
  if (value === undefined) throw new Malformed(`Cannot read the event: its ${name} is "${is}", wanted ${wanted}`)
  return value
}

const token = "[\\w!#$%&'*+.^`|~-]+"
const mediaType = new RegExp(`^${token}(/${token})?\\s*(;\\s*${token}=(${token}|"([^"\\\\]|\\\\.)*")\\s*)*;?\\s*$`)

/** What makes the ingress refuse an event that could be read; undefined when it is valid. */
export function refusal({ attributes }: CloudEvent): string | undefined {
  const { id, source, type, dataschema, datacontenttype, specversion } = attributes
  if (!id?.trim()) return 'id is missing'
  if (!source) return 'source is missing'
  if (!type?.trim()) return 'type is missing'
  if (dataschema && specversion !== '0.3' && !isAbsolute(dataschema)) return 'dataschema is no absolute URI'
  if (datacontenttype && !mediaType.test(datacontenttype.trim())) return 'the content type is no media type'
  return undefined
}

/** Whether data of this content type is JSON and may stand as such in a structured event. */
export function isJson(contentType: string | undefined): boolean {
  const type = contentType?.split(';')[0]?.trim().toLowerCase()
  return !type || type === 'application/json' || type === 'text/json'
}
