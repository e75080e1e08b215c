import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { validate } from '../functions/validate/validate.ts'
import { toAnchor } from '../scripts/docs/anchor.ts'
import { generated } from '../scripts/docs.ts'
import { readConfig } from '../shared/config.ts'
import { eventTypes } from '../shared/event-types.ts'
import { lifecycles } from '../shared/lifecycles.ts'
import { check } from '../shared/schema/check.ts'
import { Customization, Network, Policy } from '../shared/schema/fleet-files.ts'
import { ProvisionRequest } from '../shared/schema/provision-request.ts'
import { requests } from '../shared/schema/requests.ts'
import { Template } from '../shared/schema/template.ts'
import { parseYaml } from '../shared/yaml.ts'
import { asked, starterFiles } from './examples/starter.ts'
import { memoryFleet } from './fleet.ts'

const root = new URL('../', import.meta.url).pathname
const files = ['README.md', ...globSync(['docs/**/*.md', '.github/*.md', 'examples/fleet/*.md'], { cwd: root })]
const texts = files.map((file): [string, string] => [file, readFileSync(join(root, file), 'utf8')])

/** The code blocks of a language, with the file that each stands in. */
const blocks = (language: string) =>
  texts.flatMap(([file, text]) =>
    [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map((match): [string, string] => [
      file,
      match[1] ?? '',
    ]),
  )

const anchorsOf = (text: string) => [...text.matchAll(/^#+ (.*)$/gm)].map((match) => toAnchor(match[1] ?? ''))

/** The pages of what is done to a machine that there is, and the fields that all of their requests have. */
const changes = lifecycles
  .filter(({ name }) => name !== 'provision')
  .map(({ name }) => [name, readFileSync(join(root, `docs/lifecycles/${name}.md`), 'utf8')] as const)
const everywhere = Object.keys(requests.migrate.properties)
/** What an image's request says in its own way, though a machine's has it too. */
const own = (name: keyof typeof requests) =>
  Object.keys(requests[name].properties).filter(
    (field) => !everywhere.includes(field) || (name === 'golden-image' && ['namespace', 'cluster'].includes(field)),
  )

/** The fields that the first table of a page's part on requests names. */
const fieldsIn = (text: string) => {
  const [, table = ''] = /^\| field [^\n]*\n(.*?)\n\n/ms.exec(text) ?? []
  return [...table.matchAll(/^\| `(\w+)`/gm)].map((match) => match[1] ?? '')
}

describe('the docs', () => {
  it.each(lifecycles)('have a page, an example and a picture of $name', ({ name }) => {
    for (const file of [`docs/lifecycles/${name}.md`, `examples/${name}.json`, `docs/lifecycles/pictures/${name}.svg`])
      expect(existsSync(join(root, file)), file).toBe(true)
  })

  it.each(changes)('name on the page of %s the fields of its request, and no other', (name, page) => {
    expect(fieldsIn(page).sort()).toEqual(own(name).sort())
  })

  it.each(lifecycles)('name on the page of $name each of its events in full, with a link', ({ name, title }) => {
    const page = readFileSync(join(root, `docs/lifecycles/${name}.md`), 'utf8')
    const own = eventTypes().filter(({ lifecycle }) => lifecycle === name)
    const linked = own.filter(({ type }) => page.includes(`[\`${type}\`](../events.md#${toAnchor(title)})`))
    expect(own.length).toBeGreaterThan(10)
    expect(linked.map(({ type }) => type)).toEqual(own.map(({ type }) => type))
  })

  it('name in provision.md the fields of a provision, and no other', () => {
    const text = readFileSync(join(root, 'docs/provision.md'), 'utf8')
    expect(fieldsIn(text).sort()).toEqual(Object.keys(requests.provision.properties).sort())
  })

  it('name the fields of every request once for all lifecycles', () => {
    expect(fieldsIn(readFileSync(join(root, 'docs/lifecycles/README.md'), 'utf8')).sort()).toEqual(everywhere.sort())
  })

  it.each(generated())('have in $file what follows from the table of lifecycles (npm run docs)', ({ file, text }) => {
    expect(readFileSync(join(root, file), 'utf8')).toBe(text)
  })

  it.each(texts)('link in %s only to what there is', (file, text) => {
    const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '')
    const broken = targets.filter((target) => {
      if (/^https?:/.test(target)) return false
      const [path = '', anchor] = target.split('#')
      const found = path === '' ? join(root, file) : join(root, dirname(file), path)
      if (!existsSync(found)) return true
      return anchor !== undefined && !anchorsOf(readFileSync(found, 'utf8')).includes(anchor)
    })
    expect(broken).toEqual([])
  })

  it.each(texts)('name in %s only commands that there are', (_, text) => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object }
    const named = [...text.matchAll(/npm run ([a-z:]+)/g)].map((match) => match[1])
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(named))
  })

  it('apply nothing that would put placeholders over an installation of somebody’s own', () => {
    const safe = ['examples/install/argocd', 'examples/install/hub', 'broker/managed-cluster', 'triggers']
    const commands = ['{broker,triggers,examples/install}/**/*.yaml', 'scripts/**/*.ts']
    const applied = [...files, ...globSync(commands, { cwd: root })].flatMap((file) =>
      [...readFileSync(join(root, file), 'utf8').matchAll(/kubectl [^`\n]*?-k ([\w./-]*\w)/g)].map((match) => match[1]),
    )
    expect([...new Set(applied)].sort()).toEqual(safe.sort())
  })

  it('name in configuration.md the variables that are read, and no other', () => {
    const read = new Set<string>()
    const environment = new Proxy<Record<string, string | undefined>>(
      {},
      {
        get: (_, name) => {
          // The proxies' names are read in small letters too.
          read.add(String(name).toUpperCase())
          return undefined
        },
      },
    )
    expect(() => readConfig(environment)).toThrow('Cannot start')
    const text = readFileSync(join(root, 'docs/configuration.md'), 'utf8')
    const named = [...text.matchAll(/^\| `([A-Z_]+)`/gm)].map((match) => match[1])
    expect(named.sort()).toEqual([...read].sort())
  })
})

describe('the examples in the docs', () => {
  it.each(blocks('json'))('of %s are JSON', (_, text) => {
    expect(() => JSON.parse(text)).not.toThrow()
  })

  const provisions = blocks('json')
    .map(([file, text]) => [file, JSON.parse(text)] as const)
    .filter(([, event]) => event.type === 'dev.drover.provision.requested')

  it('show requests in the README and for each of three templates', () => {
    expect(provisions.map(([file]) => file)).toContain('README.md')
    const templates = provisions.map(([, event]) => event.data.template)
    expect(new Set(templates)).toEqual(new Set(['linux-small', 'database', 'windows-server']))
  })

  it.each(provisions)('of %s ask for what the starter fleet grants', async (_, event) => {
    expect(check(ProvisionRequest, event.data, 'the request')).toMatchObject({ ok: true })
    const outcome = await validate(asked(event.data), memoryFleet(starterFiles()))
    expect(outcome).toMatchObject({ kind: 'succeeded' })
  })

  it('show in the README the request that `npm run local` posts', () => {
    const posted = JSON.parse(readFileSync(join(root, 'examples/provision.json'), 'utf8'))
    expect(provisions.find(([file]) => file === 'README.md')?.[1]).toEqual(posted)
  })

  const schemas = { templates: Template, customizations: Customization, policy: Policy, ipam: Network }
  const fleetFiles = blocks('yaml').flatMap(([, text]): [string, string][] => {
    const path = /^# (\S+\.yaml)\n/.exec(text)?.[1]
    return path === undefined ? [] : [[path, text]]
  })

  it('show one file of each kind that people write', () => {
    expect(fleetFiles.map(([path]) => path.split('/')[0]).sort()).toEqual(Object.keys(schemas).sort())
  })

  it.each(fleetFiles)('show a valid %s', (path, text) => {
    const schema = schemas[path.split('/')[0] as keyof typeof schemas]
    expect(check<typeof Policy>(schema as typeof Policy, parseYaml(text, path), path)).toMatchObject({ ok: true })
  })
})
