import { isDeepStrictEqual } from 'node:util'
import { Document, isScalar, Lexer, parseAllDocuments, Scalar, visit } from 'yaml'
import { copyOf } from './copy.ts'
import { DroverError, messageOf } from './errors.ts'
import { mostBytes, tooLarge } from './file-size.ts'
import { isBlock, readPlain, writePlain } from './plain-yaml.ts'
import { show } from './schema/show.ts'

/**
 * YAML for readers of version 1.1 (Kubernetes, Helm) and 1.2 alike: strings are quoted, so `yes`, `0o14`, `1:30` and
 * dates stay strings; texts of several lines are literal blocks, so people can read a user-data in Git.
 */
export const toYaml = (value: unknown): string => writePlain(value) ?? toAnyYaml(value)

/** The same of whatever JSON can say. */
export function toAnyYaml(value: unknown): string {
  const document = new Document(value, { version: '1.1', aliasDuplicateObjects: false })
  visit(document, {
    Scalar: (key, node) => {
      if (key !== 'key' && typeof node.value === 'string')
        node.type = isBlock(node.value) ? Scalar.BLOCK_LITERAL : Scalar.QUOTE_DOUBLE
    },
  })
  const text = document.toString({ lineWidth: 0, directives: false })
  // Compared as JSON has it: a field that is undefined is not written.
  if (!isDeepStrictEqual(parseAnew(text, 'YAML'), JSON.parse(JSON.stringify(value ?? null)))) {
    throw new DroverError('broken', 'Cannot write YAML: it would not be read back as it was')
  }
  return text
}

/** What was read last: the record of a run is read again by each step that comes. */
const known = new Map<string, unknown>()
const mostKnown = 200
const longestKnown = 50_000

/** Reads one YAML document; aliases are refused, so a small file cannot become a large object. */
export function parseYaml(text: string, what = 'YAML'): unknown {
  // No text has fewer bytes than characters.
  if (text.length > mostBytes) throw tooLarge(what, Buffer.byteLength(text))
  const found = known.has(text) ? known.get(text) : (readPlain(text) ?? parseAnew(text, what))
  remember(text, found)
  // Each reader gets its own, to change as it likes.
  return copyOf(found)
}

function remember(text: string, value: unknown): void {
  known.delete(text)
  if (text.length <= longestKnown) known.set(text, value)
  for (const oldest of known.keys()) {
    if (known.size <= mostKnown) break
    known.delete(oldest)
  }
}

/** What is made of a token takes a thousand times the memory of its letter: a file of 1 MB would take 600 MB. */
const mostTokens = 250_000

function mustBeFew(text: string, what: string): void {
  if (text.length <= mostTokens) return
  let count = 0
  for (const _ of new Lexer().lex(text))
    if (++count > mostTokens)
      throw new DroverError('refused', `Cannot read ${what}: it has more than ${mostTokens} words and signs`)
}

function parseAnew(text: string, what: string): unknown {
  mustBeFew(text, what)
  // The library looks for a key that comes twice by comparing each with each: a file of 200 KB would take it minutes.
  const options = { version: '1.1', maxAliasCount: 0, prettyErrors: true, uniqueKeys: false }
  const documents = parseAllDocuments(text, options as never)
  const [document, another] = Array.isArray(documents) ? documents : []
  if (!document) return undefined
  // Of a tag or a directive that the library does not know it only warns, and reads on as if there were none.
  const error = document.errors[0] ?? document.warnings[0]
  if (error) throw new DroverError('refused', `Cannot read ${what}: ${error.message.split(/:?\n/)[0]}`)
  if (another) throw new DroverError('refused', `Cannot read ${what}: it holds several documents, wanted one`)
  const doubled = doubledKey(document)
  if (doubled !== undefined)
    throw new DroverError('refused', `Cannot read ${what}: it has ${show(doubled)} twice in one place`)
  try {
    return document.toJS({ maxAliasCount: 0 })
  } catch (cause) {
    throw new DroverError('refused', `Cannot read ${what}: ${messageOf(cause)}`, { cause })
  }
}

/** A key that a map has twice, as an object reads it: `1` and `"1"` are the same one. */
function doubledKey(document: Document.Parsed): string | undefined {
  let doubled: string | undefined
  visit(document, {
    Map: (_, { items }) => {
      const seen = new Set<string>()
      for (const { key } of items) {
        const name = String(isScalar(key) ? key.value : key)
        if (seen.has(name)) doubled = name
        seen.add(name)
      }
      return doubled === undefined ? undefined : visit.BREAK
    },
  })
  return doubled
}
