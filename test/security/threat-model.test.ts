import { existsSync, globSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

/** docs/security.md: each line of its tables names the tests that prove it. */

const text = readFileSync('docs/security.md', 'utf8')
/** From the first table that names tests on. */
const tables = text.slice(text.indexOf('\n## Events'))
const rows = [...tables.matchAll(/^\| (?!-|threat )(.+?) \| (.+?) \| (.+?) \|$/gm)].map(
  ([, threat = '', answer = '', tests = '']) => ({ threat: threat.trim(), answer, tests }),
)
const filesOf = (tests: string) => [...tests.matchAll(/\]\(\.\.\/([^)#]+)\)/g)].map(([, path = '']) => path)

describe('the threat model', () => {
  it('has rows', () => {
    expect(rows.length).toBeGreaterThan(25)
  })

  it.each(rows)('names for "$threat" tests that there are', ({ tests }) => {
    const files = filesOf(tests)
    expect(files.length).toBeGreaterThan(0)
    for (const file of files) {
      expect(existsSync(file), file).toBe(true)
      expect(readFileSync(file, 'utf8'), file).toMatch(/\b(it|describe|test)\b/)
    }
  })

  it('names each file of the ring of attacks', () => {
    const named = new Set(rows.flatMap(({ tests }) => filesOf(tests)))
    const ring = globSync('test/security/**/*.test.ts').filter((path) => !path.endsWith('threat-model.test.ts'))
    expect(ring.filter((path) => !named.has(path))).toEqual([])
  })
})
