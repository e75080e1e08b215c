import { existsSync, globSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

/**
 * docs/security.md: each line of its tables names the tests that prove it. Where a file is about much else, the title of the link
 * is words of the test that is meant.
 */

const text = readFileSync('docs/security.md', 'utf8')
/** From the first table that names tests on. */
const tables = text.slice(text.indexOf('\n## Events'))
const rows = [...tables.matchAll(/^\| (?!-|threat )(.+?) \| (.+?) \| (.+?) \|$/gm)].map(
  ([, threat = '', answer = '', tests = '']) => ({ threat: threat.trim(), answer, tests }),
)
const linksOf = (tests: string) =>
  [...tests.matchAll(/\]\(\.\.\/([^) #]+)(?: "([^"]+)")?\)/g)].map(([, file = '', title = '']) => ({ file, title }))
const filesOf = (tests: string) => linksOf(tests).map(({ file }) => file)
/** Where a test begins that is run: neither skipped nor still to be written. */
const test = /^\s*(it|test)(\.each\b.*|\()/m

describe('the threat model', () => {
  it('has rows', () => {
    expect(rows.length).toBeGreaterThan(25)
  })

  it.each(rows)('names for "$threat" tests that there are', ({ tests }) => {
    const links = linksOf(tests)
    expect(links.length).toBe(tests.split('](').length - 1)
    expect(links.length).toBeGreaterThan(0)
    for (const { file, title } of links) {
      expect(existsSync(file), file).toBe(true)
      const text = readFileSync(file, 'utf8')
      expect(text, file).toMatch(test)
      expect(text, file).not.toMatch(/\b(it|test|describe)\.(skip|todo|only)\b/)
      expect(text, file).toContain(title)
    }
  })

  it('names each file of the ring of attacks', () => {
    const named = new Set(rows.flatMap(({ tests }) => filesOf(tests)))
    const ring = globSync('test/security/**/*.test.ts').filter((path) => !path.endsWith('threat-model.test.ts'))
    expect(ring.filter((path) => !named.has(path))).toEqual([])
  })
})
