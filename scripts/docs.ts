import { readFileSync, writeFileSync } from 'node:fs'
import { type EventRow, eventTypes } from '../shared/event-types.ts'
import { type FunctionName, lifecycles } from '../shared/lifecycles.ts'
import { type Setting, settings } from '../shared/settings.ts'
import { instruments } from '../shared/telemetry/metrics.ts'
import { customizationTable } from './docs/customization.ts'
import { dataTable, factsTable } from './docs/event-data.ts'
import { index, pageParts } from './docs/lifecycle-page.ts'
import { picture } from './docs/picture.ts'
import { table } from './docs/table.ts'

/** `npm run docs`: writes the parts of the docs that follow from the tables of lifecycles, settings and instruments, between their markers. */

const root = new URL('../', import.meta.url)

/** Functions whose Triggers follow from the table fact by fact; the others wake by what every lifecycle has. */
const byFact = ['locate', 'allocate', 'place', 'register', 'build', 'commit', 'verify'] as const

/** Each generated part: the file that it stands in, its name there, and its text. */
const parts: { file: string; name: string; text: () => string }[] = [
  { file: 'README.md', name: 'lifecycles', text: () => index('docs/lifecycles/') },
  { file: 'docs/lifecycles/README.md', name: 'lifecycles', text: () => index('') },
  ...lifecycles.flatMap((lifecycle) =>
    Object.entries(pageParts).map(([name, text]) => ({
      file: `docs/lifecycles/${lifecycle.name}.md`,
      name,
      text: () => text(lifecycle),
    })),
  ),
  { file: 'docs/events.md', name: 'event types', text: eventTable },
  { file: 'docs/events.md', name: 'event data', text: dataTable },
  { file: 'docs/events.md', name: 'event facts', text: factsTable },
  { file: 'docs/fleet.md', name: 'disk customization', text: customizationTable },
  { file: 'docs/configuration.md', name: 'settings', text: settingTables },
  { file: 'docs/observability.md', name: 'metrics', text: metricTable },
  ...byFact.map((name) => ({ file: `triggers/${name}.yaml`, name: 'filters', text: () => filtersOf(name) })),
]

/** The files with generated parts, and the pictures, as they should be. */
export function generated(): { file: string; text: string }[] {
  const files = [...new Set(parts.map(({ file }) => file))].map((file) => ({ file, text: withParts(file) }))
  const pictures = lifecycles.map((one) => ({ file: `docs/lifecycles/pictures/${one.name}.svg`, text: picture(one) }))
  return [...files, ...pictures]
}

function withParts(file: string): string {
  const replace = file.endsWith('.yaml') ? replacedYaml : replaced
  return parts
    .filter((part) => part.file === file)
    .reduce((text, { name, text: part }) => replace(text, name, part()), readFileSync(new URL(file, root), 'utf8'))
}

function replaced(text: string, name: string, part: string): string {
  const begin = `<!-- generated: ${name} (npm run docs) -->`
  const end = `<!-- end of ${name} -->`
  const from = text.indexOf(begin)
  const to = text.indexOf(end)
  if (from < 0 || to < from) throw new Error(`Cannot write the part "${name}": its markers are not there`)
  return `${text.slice(0, from)}${begin}\n\n${part}\n\n${text.slice(to)}`
}

function replacedYaml(text: string, name: string, part: string): string {
  const [begin, end] = [`    # generated: ${name} (npm run docs)\n`, `    # end of ${name}\n`]
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`Cannot write the part "${name}": its markers are not there`)
  return `${text.slice(0, from)}${begin}${part}${text.slice(to)}`
}

/** What wakes a function: an ending where all types that end so wake it, else the type itself. */
function filtersOf(name: FunctionName): string {
  const all = eventTypes()
  const wakesOnly = (suffix: string) => all.every(({ type, wakes }) => !type.endsWith(suffix) || wakes === name)
  const filters = all
    .filter(({ wakes }) => wakes === name)
    .map(({ type }) => {
      const words = type.split('.').slice(3)
      const endings = words.map((_, index) => `.${words.slice(words.length - index - 1).join('.')}`)
      const suffix = endings.find(wakesOnly)
      return suffix === undefined ? `exact: { type: ${type} }` : `suffix: { type: ${suffix} }`
    })
  return ['    - any:', ...[...new Set(filters)].sort().map((filter) => `        - ${filter}`)]
    .map((line) => `${line}\n`)
    .join('')
}

const meaning: Record<EventRow['status'], string> = {
  tick: 'makes Drover look for runs that stand still',
  request: 'asks for a run',
  progress: 'still waiting, for what',
  success: 'done',
  failure: 'could not be done',
}

/** A table for each lifecycle, under its title, so that pages can link to it; the tick is of none. */
function eventTable(): string {
  const all = eventTypes()
  const tick = all.filter(({ lifecycle }) => lifecycle === undefined)
  const tables = lifecycles.map(({ name, title }) => {
    const own = all.filter(({ lifecycle }) => lifecycle === name)
    return `### ${title}\n\n${typesTable(own)}`
  })
  return [...tables, `### No lifecycle\n\n${typesTable(tick)}`].join('\n\n')
}

const typesTable = (types: EventRow[]) =>
  table(
    ['type', 'means', 'task', 'wakes'],
    types.map(({ type, task, status, wakes }) => [
      `\`${type}\``,
      meaningOf(type, status),
      task?.title ?? '',
      wakes ? `\`${wakes}\`` : '',
    ]),
  )

/** The three ends of a run say more than that their task is done. */
function meaningOf(type: string, status: EventRow['status']): string {
  if (type.endsWith('.completed')) return 'the run ended well'
  if (type.endsWith('.rolledback')) return 'the run ended, and was put back'
  if (type.endsWith('.stranded')) return 'the run ended, and a person must look'
  return meaning[status]
}

function metricTable(): string {
  const rows = instruments.map(({ name, kind, labels, help }) => [
    `\`${name}\``,
    kind,
    labels.map((label) => `\`${label}\``).join(', '),
    help,
  ])
  return table(['metric', 'kind', 'labels', 'what it says'], rows)
}

function settingTables(): string {
  const parts: [string, Setting[]][] = Object.entries(settings)
  return parts
    .map(([title, part]) => {
      const rows = part.map(({ name, value, otherwise = '', says }) => [
        `\`${name}\``,
        value === undefined ? otherwise : `\`${value}\``,
        says,
      ])
      return `## ${title}\n\n${table(['variable', 'default', 'what it says'], rows)}`
    })
    .join('\n\n')
}

if (import.meta.main) for (const { file, text } of generated()) writeFileSync(new URL(file, root), text)
