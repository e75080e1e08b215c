/**
 * The YAML that Drover itself writes, in a twentieth of the time that a library takes for all of YAML: maps, lists, whole
 * numbers, quoted strings, and texts of several lines as literal blocks. To the byte what `yaml` makes of the same.
 */

/** The text of a value that is made of nothing else; undefined for every other, which is left to the library. */
export function writePlain(value: unknown): string | undefined {
  try {
    return isFilled(value) ? `${body(value, '')}\n` : undefined
  } catch (error) {
    if (error instanceof NotPlain) return undefined
    throw error
  }
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

class NotPlain extends Error {}

type Filled = unknown[] | Record<string, unknown>

const isList = (value: unknown): value is unknown[] => Array.isArray(value)

/** True for a list or a map that takes lines of its own: JSON has no fields that are undefined. */
function isFilled(value: unknown): value is Filled {
  if (typeof value !== 'object' || value === null) return false
  if (isList(value)) return value.length > 0
  for (const key of Object.keys(value)) if ((value as Record<string, unknown>)[key] !== undefined) return true
  return false
}

/** Begins with a letter, and is nothing that YAML 1.1 takes for something else. */
const plainKey = /^(?!(?:y|n|yes|no|on|off|true|false|null|e-?\d+)$)[a-z][\w./-]{0,200}$/i
/** Most texts; a look at this is cheaper than one at all of Unicode. */
const ascii = /^[\x20-\x7e]*$/
/** Characters that YAML cannot show, and those at which it may break a line. */
const unseen = /[\p{C}\p{Zl}\p{Zp}]/u

/** What stands around the place of a secret until the text is written: each user-data has some. */
const mark = '\u0001'

/** A literal block keeps a text as it is unless it has characters that YAML cannot show or begins with a blank. */
export const isBlock = (text: string): boolean =>
  text.includes('\n') && /^\S/.test(text) && !/[^\P{C}\n\t]|[\p{Zl}\p{Zp}]|[ \t]\n/u.test(text)

/** The lines of a list or a map; the first one has its indent already. */
function body(value: Filled, indent: string): string {
  const inner = `${indent}  `
  let lines = ''
  if (isList(value)) {
    for (const one of value) {
      if (lines !== '') lines += `\n${indent}`
      lines += isFilled(one) ? `- ${body(one, inner)}` : `- ${scalar(one, inner)}`
    }
    return lines
  }
  mustBeMap(value)
  for (const key of Object.keys(value)) {
    const one = value[key]
    if (one === undefined) continue
    if (!plainKey.test(key)) throw new NotPlain()
    if (lines !== '') lines += `\n${indent}`
    lines += isFilled(one) ? `${key}:\n${inner}${body(one, inner)}` : `${key}: ${scalar(one, inner)}`
  }
  return lines
}

function scalar(value: unknown, indent: string): string {
  if (typeof value === 'string') return ascii.test(value) ? JSON.stringify(value) : unusual(value, indent)
  if (typeof value === 'boolean' || value === null) return String(value)
  if (typeof value === 'number' && Number.isSafeInteger(value) && !Object.is(value, -0)) return String(value)
  if (isList(value)) return '[]'
  mustBeMap(value)
  return '{}'
}

function unusual(text: string, indent: string): string {
  if (isBlock(text)) {
    const lines = text.replace(/\n$/, '')
    if (/[\n \t]$/.test(lines)) throw new NotPlain()
    return `|${text.endsWith('\n') ? '' : '-'}\n${indent}${lines.replace(/\n+/g, (breaks) => `${breaks}${indent}`)}`
  }
  // There is no backslash in a text with marks.
  const hasMarks = text.includes(mark) && !text.includes('\\')
  if (unseen.test(hasMarks ? text.replaceAll(mark, '') : text)) throw new NotPlain()
  return hasMarks ? JSON.stringify(text).replaceAll('\\u0001', '\\x01') : JSON.stringify(text)
}

function mustBeMap(value: unknown): void {
  const isMap = typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
  if (!isMap || 'toJSON' in value) throw new NotPlain()
}

interface Reader {
  lines: string[]
  at: number
}

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
