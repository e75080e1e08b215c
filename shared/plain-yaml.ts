/**
 * The YAML that Drover itself writes, in a twentieth of the time that a library takes for all of YAML: maps, lists, whole
 * numbers, quoted strings, and texts of several lines as literal blocks. To the byte what `yaml` makes of the same.
 */

/** The text of a value that is made of nothing else; undefined for every other, which is left to the library. */
export function writePlain(value: unknown): string | undefined {
  return isFilled(value) && isPlain(value) ? `${body(value, '')}\n` : undefined
}

/** What such a text says; undefined for a text that Drover would have written in another way, or not at all. */
export function readPlain(text: string): unknown {
  try {
    const value = readBody({ lines: text.split('\n'), at: 0 }, '')
    // Whatever was read: if it is written like this, it is what this says.
    return writePlain(value) === text ? value : undefined
  } catch {
    return undefined
  }
}

type Filled = unknown[] | Record<string, unknown>

const isList = (value: unknown): value is unknown[] => Array.isArray(value)

/** The fields that are written: JSON has none that are undefined. */
const fieldsOf = (value: Record<string, unknown>) => Object.entries(value).filter(([, one]) => one !== undefined)

/** True for a list or a map that takes lines of its own. */
const isFilled = (value: unknown): value is Filled =>
  typeof value === 'object' &&
  value !== null &&
  (isList(value) ? value.length : fieldsOf(value as object as never).length) > 0

/** Begins with a letter, and is nothing that YAML 1.1 takes for something else. */
const plainKey = /^(?!(?:y|n|yes|no|on|off|true|false|null|e-?\d+)$)[a-z][\w./-]{0,200}$/i
/** Characters that YAML cannot show, and those at which it may break a line. */
const unseen = /[\p{C}\p{Zl}\p{Zp}]/u

/** What stands around the place of a secret until the text is written: each user-data has some. */
const mark = '\u0001'

/** A literal block keeps a text as it is unless it has characters that YAML cannot show or begins with a blank. */
export const isBlock = (text: string): boolean =>
  text.includes('\n') && /^\S/.test(text) && !/[^\P{C}\n\t]|[\p{Zl}\p{Zp}]|[ \t]\n/u.test(text)

function isPlain(value: unknown): boolean {
  if (typeof value === 'string')
    return isBlock(value)
      ? !/[\n \t]$/.test(value.replace(/\n$/, ''))
      : !unseen.test(value.includes('\\') ? value : value.replaceAll(mark, ''))
  if (typeof value === 'number') return Number.isSafeInteger(value) && !Object.is(value, -0)
  if (typeof value !== 'object') return typeof value === 'boolean'
  if (value === null) return true
  if (isList(value)) return value.every(isPlain)
  if (Object.getPrototypeOf(value) !== Object.prototype || 'toJSON' in value) return false
  return fieldsOf(value as Record<string, unknown>).every(([key, one]) => plainKey.test(key) && isPlain(one))
}

/** The lines of a list or a map; the first one has its indent already. */
function body(value: Filled, indent: string): string {
  const inner = `${indent}  `
  const lines = isList(value)
    ? value.map((one) => `- ${isFilled(one) ? body(one, inner) : scalar(one, inner)}`)
    : fieldsOf(value).map(([key, one]) =>
        isFilled(one) ? `${key}:\n${inner}${body(one, inner)}` : `${key}: ${scalar(one, inner)}`,
      )
  return lines.join(`\n${indent}`)
}

function scalar(value: unknown, indent: string): string {
  if (typeof value === 'string' && isBlock(value)) {
    const text = value.replace(/\n$/, '').replace(/\n+/g, (breaks) => `${breaks}${indent}`)
    return `|${value.endsWith('\n') ? '' : '-'}\n${indent}${text}`
  }
  // There is no backslash in a text with marks.
  if (typeof value === 'string' && value.includes(mark)) return JSON.stringify(value).replaceAll('\\u0001', '\\x01')
  return isList(value) || typeof value !== 'object' || value === null ? JSON.stringify(value) : '{}'
}

interface Reader {
  lines: string[]
  at: number
}

class NotPlain extends Error {}

function readBody(reader: Reader, indent: string): unknown {
  const isItem = (line: string | undefined) => line?.startsWith(`${indent}- `) ?? false
  if (isItem(reader.lines[reader.at])) {
    const list: unknown[] = []
    while (isItem(reader.lines[reader.at])) list.push(readItem(reader, indent))
    return list
  }
  const map: Record<string, unknown> = {}
  for (;;) {
    const line = reader.lines[reader.at]
    if (!line?.startsWith(indent) || line.length === indent.length || line[indent.length] === ' ') return map
    const colon = line.indexOf(':', indent.length)
    if (colon < 0) throw new NotPlain()
    map[line.slice(indent.length, colon)] = readValue(reader, line.slice(colon + 1), `${indent}  `)
  }
}

function readItem(reader: Reader, indent: string): unknown {
  const inner = `${indent}  `
  const rest = reader.lines[reader.at]!.slice(inner.length)
  if (!/^(?:- |[a-z][\w./-]*:(?: |$))/i.test(rest)) return readValue(reader, ` ${rest}`, inner)
  // What begins on the line of the dash goes on below it, as if it had begun there.
  reader.lines[reader.at] = inner + rest
  return readBody(reader, inner)
}

/** What stands behind a key or a dash. */
function readValue(reader: Reader, rest: string, indent: string): unknown {
  reader.at++
  if (rest === '') return readBody(reader, indent)
  if (rest === ' |') return `${readBlock(reader, indent)}\n`
  if (rest === ' |-') return readBlock(reader, indent)
  return JSON.parse(rest)
}

function readBlock(reader: Reader, indent: string): string {
  const from = reader.at
  const isInside = (line: string | undefined) => line === '' || (line?.startsWith(indent) ?? false)
  while (isInside(reader.lines[reader.at])) reader.at++
  // The text ends with a line break, and what is split there ends with nothing.
  if (reader.at === reader.lines.length && reader.at > from) reader.at--
  return reader.lines
    .slice(from, reader.at)
    .map((line) => line.slice(indent.length))
    .join('\n')
}
