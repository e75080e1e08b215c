import { globSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { doors } from '../doors.ts'

/** No regular expression takes longer than in proportion to what it is tried on: each is tried on long texts that nearly fit. */

const largest = 128 * 1024
const longest = 50

/** What takes longer, and why it may. */
const bounded: Record<string, string> = {
  '[. ]+$': 'a segment of a path of at most 1024 characters (shared/clients/git/path.ts)',
}

/** The patterns of every schema. */
function patternsIn(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return []
  const { pattern, patternProperties = {} } = schema as { pattern?: unknown; patternProperties?: object }
  const own = typeof pattern === 'string' ? [pattern] : []
  return [...own, ...Object.keys(patternProperties), ...Object.values(schema).flatMap(patternsIn)]
}
const ofSchemas = [...new Set(doors.flatMap(({ schema }) => patternsIn(schema)))]

function compiles(source: string, flags: string): boolean {
  try {
    return new RegExp(source, flags) instanceof RegExp
  } catch {
    // A part of a text that looks like one.
    return false
  }
}

/** The literals of the code: what stands between slashes where a value may begin. */
const literal = /(?<=[=(,:[!&|?]\s*|return )\/(?![*/])((?:[^\\/[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+)\/([dgimsuvy]*)/g
const ofCode = [
  ...new Set(
    globSync(['shared/**/*.ts', 'functions/**/*.ts']).flatMap((file) =>
      [
        ...readFileSync(file, 'utf8')
          .replace(/\/\*\*.*?\*\//gs, '')
          .matchAll(literal),
      ].map(([, source = '', flags = '']) => JSON.stringify([source, flags.replace('y', '')])),
    ),
  ),
]
  .map((text) => JSON.parse(text) as [string, string])
  .filter(([source, flags]) => compiles(source, flags))

const parts = ['a', 'A', '0', '-', '.', '/', ':', '=', ' ', '\n', '"', '\\', '$', '{', '*', '@', '_', 'é', '\ud800']
const pairs = ['a-', 'a.', '-.', 'a/', '/.', 'a:', 'a=', 'a ', ' \n', '\\"', '{a', '${', 'a@', 'a,', 'a="', '0a', '..']
const starts = ['', 'a', '/', 'https://', '{', '"', '"a="', '#!/', 'docker://', 'sha256:', 'remote: ', 'fatal: ']
const ends = ['', '!', '\u0000', '\n']

/** How long the pattern keeps a processor busy, in milliseconds. */
function cost(pattern: RegExp, text: string): number {
  let best = Number.POSITIVE_INFINITY
  for (let tries = 0; tries < 3 && best > longest; tries++) {
    const begun = process.threadCpuUsage()
    pattern.lastIndex = 0
    if (pattern.global) text.replace(pattern, '')
    else pattern.test(text)
    const { user, system } = process.threadCpuUsage(begun)
    best = Math.min(best, (user + system) / 1_000)
  }
  return best
}

/** The first text, from short to long, that takes too long. */
function slowText(source: string, flags: string): string | undefined {
  const pattern = new RegExp(source, flags)
  for (const part of [...parts, ...pairs])
    for (const start of starts)
      for (const end of ends)
        for (const length of [2_048, 16_384, largest]) {
          // What is quick at a length need not be tried in every way at the next.
          if (length === largest && start !== '' && end !== '!') continue
          const took = cost(pattern, start + part.repeat(length / part.length) + end)
          if (took > longest) return `${JSON.stringify(start + part)} … ${length} characters: ${took} ms`
        }
  return undefined
}

describe('the pattern of a schema', () => {
  it('is found, or the rows below would prove nothing', () => {
    expect(ofSchemas.length).toBeGreaterThan(30)
    expect(ofCode.length).toBeGreaterThan(60)
  })

  it.each(ofSchemas)('%s takes time in proportion', (source) => {
    expect(slowText(source, 'u')).toBeUndefined()
  })
})

describe('a regular expression of the code', () => {
  it.each(ofCode.filter(([source]) => !Object.hasOwn(bounded, source)))(
    '/%s/%s takes time in proportion',
    (source, flags) => {
      expect(slowText(source, flags)).toBeUndefined()
    },
  )
})
