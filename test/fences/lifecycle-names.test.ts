import { globSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { isRound, lifecycles } from '../../shared/lifecycles.ts'

/**
 * What a lifecycle is stands in its row of the table: whoever asks for its name knows something of it that the next one
 * has to be told of too. Questions to ask instead are beside the table: `changesMachine`, `removesMachine`, `roundsOf`.
 */

/** Rooms where names belong: the table, what each is asked by, and the edits of a definition that each is made of. */
const rooms = ['shared/lifecycles.ts', 'shared/schema/requests.ts', 'functions/build/edits/']

/** Names that mean nothing else; a round may have the name of a lifecycle that is little more than it. */
const names = lifecycles.map(({ name }) => name)
const plain = names.filter((name) => !isRound(name))

/** To read a request as its own schema has it asks for a name too, and decides nothing. */
const reading = /requestOf\([^)]*\)|[Rr]equests\['[a-z-]+'\]/g

const rules: readonly [what: string, sign: RegExp][] = [
  ['a lifecycle is compared with a name', new RegExp(`ifecycle\\w*\\)? *[!=]==? *'(${names.join('|')})'`)],
  ['a name is compared with a lifecycle', new RegExp(`'(${names.join('|')})' *[!=]==? *\\S*ifecycle`)],
  ['a list of names is asked for a lifecycle', /\['[a-z-]+'.*\]\.includes\(\S*ifecycle/],
  ['a lifecycle is switched on', /switch \(.*ifecycle/],
  ['something is known by lifecycle', /Record<LifecycleName|in LifecycleName\]/],
  ['a lifecycle is named', new RegExp(`['"\`](${plain.join('|')})['"\`]`)],
]

/** What a text knows of lifecycles that the table should know. */
const knownIn = (text: string): string[] =>
  text.split('\n').flatMap((line, at) => {
    if (/^\s*(\/?\*|\/\/)/.test(line)) return []
    const code = line.replaceAll(reading, '')
    return rules.flatMap(([what, sign]) => (sign.test(code) ? [`${at + 1}: ${what}: ${line.trim()}`] : []))
  })

const files = globSync(['shared/**/*.ts', 'functions/**/*.ts']).filter(
  (file) => !rooms.some((room) => file.startsWith(room)),
)

describe('the name of a lifecycle', () => {
  it('is looked for in all that is installed', () => {
    expect(files.length).toBeGreaterThan(200)
    expect(plain).toEqual(expect.arrayContaining(['provision', 'deprovision', 'repave', 'power', 'golden-image']))
  })

  it.each(files)('decides nothing in %s', (file) => {
    expect(knownIn(readFileSync(file, 'utf8'))).toEqual([])
  })

  it.each([
    "if (run.lifecycle === 'deprovision') return",
    "if (lifecycle !== 'patch') return",
    "if ('restore' === lifecycle) return",
    "if (['patch', 'restore'].includes(run.lifecycle)) return",
    'switch (record.lifecycle) {',
    'const makers: Partial<Record<LifecycleName, string>> = {}',
    "const isLast = about === 'repave'",
  ])('is found where it decides: %s', (line) => {
    expect(knownIn(line)).not.toEqual([])
  })

  it.each([
    "const { push } = requestOf(run, 'golden-image')",
    "request as Partial<Requests['patch']>",
    "if (round === 'restore') return",
    "// lifecycle === 'patch' is no question to ask",
  ])('may stand where it decides nothing: %s', (line) => {
    expect(knownIn(line)).toEqual([])
  })
})
