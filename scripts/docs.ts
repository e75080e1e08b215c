import { readFileSync, writeFileSync } from 'node:fs'
import { type EventRow, eventTypes, type FunctionName, lifecycles } from '../shared/lifecycles.ts'
import { type Setting, settings } from '../shared/settings.ts'

/** `npm run docs`: writes the parts of the docs that follow from the tables of lifecycles and settings, between their markers. */

const root = new URL('../', import.meta.url)

/** Functions whose Triggers follow from the table fact by fact; the others wake by what every lifecycle has. */
const byFact = ['locate', 'allocate', 'place', 'register', 'build', 'commit', 'verify'] as const

/** Each generated part: the file that it stands in, its name there, and its text. */
const parts: { file: string; name: string; text: () => string }[] = [
  { file: 'README.md', name: 'lifecycles', text: lifecycleTables },
  { file: 'docs/events.md', name: 'event types', text: eventTable },
  { file: 'docs/configuration.md', name: 'settings', text: settingTables },
  ...byFact.map((name) => ({ file: `triggers/${name}.yaml`, name: 'filters', text: () => filtersOf(name) })),
]

/** The files with generated parts, as they should be. */
export function generated(): { file: string; text: string }[] {
  return parts.map(({ file, name, text }) => ({
    file,
    text: (file.endsWith('.yaml') ? replacedYaml : replaced)(readFileSync(new URL(file, root), 'utf8'), name, text()),
  }))
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

function lifecycleTables(): string {
  return lifecycles
    .map(({ name, title, tasks }) => {
      const rows = tasks.map((task, at) => [String(at + 1), task.title, `\`${task.by}\``, `\`${task.done}\``])
      return `**${title}** (\`${name}\`)\n\n${table(['', 'task', 'function', 'event when done'], rows)}`
    })
    .join('\n\n')
}

const meaning: Record<EventRow['status'], string> = {
  tick: 'makes Drover look for runs that stand still',
  request: 'asks for a run',
  progress: 'still waiting, for what',
  success: 'done',
  failure: 'could not be done',
}

function eventTable(): string {
  const rows = eventTypes().map(({ type, task, status, wakes }) => [
    `\`${type}\``,
    meaningOf(type, status),
    task?.title ?? '',
    wakes ? `\`${wakes}\`` : '',
  ])
  return table(['type', 'means', 'task', 'wakes'], rows)
}

/** The three ends of a run say more than that their task is done. */
function meaningOf(type: string, status: EventRow['status']): string {
  if (type.endsWith('.completed')) return 'the run ended well'
  if (type.endsWith('.rolledback')) return 'the run ended, and was put back'
  if (type.endsWith('.stranded')) return 'the run ended, and a person must look'
  return meaning[status]
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

/** A table with columns of one width, so that the text is readable as it is. */
function table(head: string[], rows: string[][]): string {
  const widths = head.map((_, column) => Math.max(3, ...[head, ...rows].map((row) => row[column]?.length ?? 0)))
  const line = (cells: string[]) => `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n')
}

if (import.meta.main) for (const { file, text } of generated()) writeFileSync(new URL(file, root), text)
