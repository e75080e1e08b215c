import { type Attributes, type CloudEvent, isJson, Malformed, setAttribute } from './event.ts'

/** The event of a structured body; throws Malformed when it is none. Data that is JSON keeps its very bytes. */
export function readStructured(text: string): CloudEvent {
  const members = parseMembers(text)
  const specversion = members.get('specversion')?.value
  if (specversion !== '1.0' && specversion !== '0.3') {
    throw new Malformed(`Cannot read the event: specversion is ${JSON.stringify(specversion)}, wanted "1.0" or "0.3"`)
  }
  const attributes: Attributes = { specversion }
  for (const [name, { value }] of members) {
    if (name === 'specversion' || isData(name, specversion)) continue
    if (value === null || (name === 'time' && value === '')) continue
    setAttribute(attributes, toName(name), toText(name, value))
  }
  return { attributes, data: readData(members, attributes) }
}

const known = new Set(['id', 'source', 'type', 'subject', 'time', 'dataschema', 'schemaurl', 'datacontenttype'])

/** Extensions may come in upper case and lose it; `Type` is none, because then it would be `type`. */
function toName(name: string): string {
  const lower = name.toLowerCase()
  if (name === lower || !(known.has(lower) || lower === 'specversion')) return lower
  throw new Malformed(`Cannot read the event: it has an attribute "${name}", wanted "${lower}"`)
}

function isData(name: string, specversion: string): boolean {
  if (name === 'data') return true
  return name === (specversion === '0.3' ? 'datacontentencoding' : 'data_base64')
}

function toText(name: string, value: unknown): string {
  if (typeof value === 'string') return value
  if (!known.has(name) && typeof value === 'boolean') return String(value)
  // Integers of CloudEvents have 32 bits; the real Broker cuts what stands behind the point.
  if (!known.has(name) && typeof value === 'number' && Math.abs(value) < 2 ** 31) return String(Math.trunc(value))
  throw new Malformed(`Cannot read the event: its attribute "${name}" is ${JSON.stringify(value)}, wanted text`)
}

function readData(members: Members, attributes: Attributes): Buffer {
  const data = members.get('data')
  const isOld = attributes.specversion === '0.3'
  const encoding = members.get('datacontentencoding')?.value ?? undefined
  if (isOld && encoding !== undefined && encoding !== 'base64') {
    throw new Malformed('Cannot read the event: its datacontentencoding is no "base64"')
  }
  if (isOld && encoding && data) return fromBase64(data.value)
  const encoded = members.get('data_base64')
  if (!isOld && encoded) return fromBase64(encoded.value)
  if (data === undefined) return Buffer.alloc(0)
  if (isJson(attributes.datacontenttype)) return Buffer.from(data.raw)
  if (typeof data.value === 'string') return Buffer.from(data.value)
  throw new Malformed(`Cannot read the event: its data is no text, wanted text for ${attributes.datacontenttype}`)
}

function fromBase64(value: unknown): Buffer {
  const isBase64 = typeof value === 'string' && value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value)
  if (!isBase64) throw new Malformed('Cannot read the event: its data is no base64')
  return Buffer.from(value, 'base64')
}

type Members = Map<string, { value: unknown; raw: string }>

/** The members of a JSON object, each with its text as it was written, blanks in front included. */
function parseMembers(text: string): Members {
  const object = parseObject(text)
  const members: Members = new Map()
  for (const [name, raw] of splitMembers(text)) {
    if (name === 'specversion' && members.has(name)) throw new Malformed('Cannot read the event: two specversions')
    members.set(name, { value: Object.hasOwn(object, name) ? object[name] : undefined, raw })
  }
  return members
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const object: unknown = JSON.parse(text)
    if (typeof object === 'object' && object !== null && !Array.isArray(object))
      return object as Record<string, unknown>
  } catch (cause) {
    throw new Malformed('Cannot read the event: the body is no JSON', { cause })
  }
  throw new Malformed('Cannot read the event: the body is no JSON object')
}

/** Names and texts of the members of an object that is known to be valid JSON. */
function* splitMembers(text: string): Generator<[name: string, raw: string]> {
  let depth = 0
  let name: string | undefined
  let from = 0
  let previous: string | undefined
  for (const { 0: part, index } of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]/gs)) {
    const isEnd = depth === 1 && (part === ',' || part === '}')
    if (isEnd && name !== undefined) yield [name, text.slice(from, index).trimEnd()]
    if (isEnd) name = undefined
    if (depth === 1 && part === ':' && name === undefined && previous !== undefined) {
      name = JSON.parse(previous) as string
      from = index + 1
    }
    if (part === '{' || part === '[') depth++
    if (part === '}' || part === ']') depth--
    previous = part
  }
}
