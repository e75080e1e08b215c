import fc from 'fast-check'

/** Random changes of a value that was right: other values, fields that are gone, renamed or made up, texts that are hostile. */

/** Texts that have hurt programs before. */
export const hostile: readonly string[] = [
  '',
  ' ',
  '\u0000',
  'a\u0000b',
  'a\nb: c',
  '\r\nx-injected: 1',
  '../../../etc/passwd',
  '..',
  '.git/config',
  '-oProxyCommand=sh',
  '--upload-pack=touch /tmp/x',
  '$(id)',
  '`id`',
  '; rm -rf / #',
  "'; drop table x; --",
  '"quoted"',
  '{{ .Values.x }}',
  '${secret.root}',
  '{number:6}{number:6}',
  '*anchor',
  '&anchor',
  '!!js/function x',
  '<script>alert(1)</script>',
  'http://169.254.169.254/latest/meta-data/',
  '\u202egpj.exe',
  '\ud800',
  'ﬃ',
  'K',
  'ſ',
  '１２７.0.0.1',
  'NaN',
  '1e309',
  '0x7f.1',
  'a'.repeat(300),
  'a-'.repeat(40_000),
  'a.'.repeat(40_000),
  '-'.repeat(80_000),
  '9'.repeat(80_000),
]

const names = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', '$ref', '', '0', 'length', 'a b']

const values: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom<unknown>(...hostile) },
  { weight: 2, arbitrary: fc.constantFrom<unknown>(null, true, 0, -1, 1.5, 1e308, -0, [], {}, [[]], [null]) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 80 }) },
  { weight: 1, arbitrary: fc.integer() },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<unknown> },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 200 }).map((depth) => nested(depth)) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 3_000 }).map((length) => Array.from({ length }, () => 'a')) },
)

const nested = (depth: number): unknown => (depth === 0 ? 'deep' : { a: nested(depth - 1) })

interface Change {
  at: number
  how: 'replace' | 'remove' | 'add' | 'rename' | 'insert' | 'double'
  value: unknown
  name: string
}

const change: fc.Arbitrary<Change> = fc.record({
  at: fc.nat(),
  how: fc.constantFrom('replace', 'replace', 'replace', 'remove', 'add', 'rename', 'insert', 'double'),
  value: values,
  name: fc.oneof(fc.constantFrom(...names), fc.string({ maxLength: 20 })),
})

/** One of the values, changed in one to four places. */
export const mutated = (good: readonly unknown[]): fc.Arbitrary<unknown> =>
  fc
    .tuple(fc.nat({ max: good.length - 1 }), fc.array(change, { minLength: 1, maxLength: 4 }))
    .map(([index, changes]) => changes.reduce<unknown>(applied, structuredClone(good[index])))

type Place = { holder: Record<string, unknown>; key: string }

function applied(root: unknown, { at, how, value: given, name }: Change): unknown {
  const value = structuredClone(given)
  const places: Place[] = []
  collect(root, places)
  const place = places[at % (places.length + 1)]
  if (!place) return how === 'replace' ? value : root
  const { holder, key } = place
  const inner = holder[key]
  if (how === 'replace') put(holder, key, value)
  if (how === 'remove') Reflect.deleteProperty(holder, key)
  if (how === 'add') put(holder, name, value)
  if (how === 'rename') {
    Reflect.deleteProperty(holder, key)
    put(holder, name, inner)
  }
  if (how === 'insert') put(holder, key, typeof inner === 'string' ? spliced(inner, at, value) : [inner, value])
  if (how === 'double') put(holder, key, [inner, inner])
  return root
}

function collect(node: unknown, places: Place[]): void {
  if (typeof node !== 'object' || node === null) return
  const holder = node as Record<string, unknown>
  for (const key of Object.keys(holder)) {
    places.push({ holder, key })
    collect(holder[key], places)
  }
}

/** As JSON.parse would: a field called `__proto__` is a field. A list takes what has another name at its end. */
function put(holder: Record<string, unknown>, key: string, value: unknown): void {
  if (Array.isArray(holder) && !(key in holder && /^\d+$/.test(key))) return void holder.push(value)
  Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true })
}

function spliced(text: string, at: number, value: unknown): string {
  const where = at % (text.length + 1)
  return text.slice(0, where) + String(typeof value === 'object' ? '\n' : value) + text.slice(where)
}
