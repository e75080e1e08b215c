import { DroverError } from '../errors.ts'

/** The three mergers that cloud-init ships, each for one type of value. */
export type MergerName = 'dict' | 'list' | 'str'

/** One merger with its settings, e.g. `list(append)`. The first one of a name is the one that counts. */
export interface MergerSpec {
  name: MergerName
  settings: ReadonlySet<string>
}

/** What cloud-init takes when a part names no mergers: a later part's keys win. */
const defaultMergers: readonly MergerSpec[] = [
  { name: 'dict', settings: new Set(['replace']) },
  { name: 'list', settings: new Set() },
  { name: 'str', settings: new Set() },
]

/**
 * Takes the mergers that a part names out of it. As in cloud-init `merge_how` comes first, and a `merge_type` beside
 * it is left in the part as an ordinary key.
 */
export function takeMergers(part: Record<string, unknown>): {
  mergers: readonly MergerSpec[]
  rest: Record<string, unknown>
} {
  const rest = { ...part }
  const how = take(rest, 'merge_how') ?? take(rest, 'merge_type')
  const mergers = how === undefined ? [] : typeof how === 'string' ? parseText(how) : parseList(how)
  return { mergers: mergers.length === 0 ? defaultMergers : mergers, rest }
}

function take(part: Record<string, unknown>, key: string): unknown {
  const value = part[key] ?? undefined
  delete part[key]
  return value
}

/** The text form: `list(append)+dict(no_replace,recurse_list)+str()`. */
function parseText(text: string): MergerSpec[] {
  const names = text.split('+').map((word) => word.trim().toLowerCase().replaceAll('-', '_'))
  return names.filter((word) => word !== '').map(parseWord)
}

function parseWord(word: string): MergerSpec {
  const match = /^([a-z_][a-z0-9_]*)\((.*?)\)$/.exec(word)
  if (!match) throw unreadable(`"${word}" is not of the form name(setting,…)`)
  return toSpec(
    match[1] ?? '',
    (match[2] ?? '').split(',').map((setting) => setting.trim()),
  )
}

/** The list form: `[{name: list, settings: [append]}]`, or the older `[[list, append]]`. */
function parseList(how: unknown): MergerSpec[] {
  if (!Array.isArray(how)) throw unreadable('it is neither a text nor a list')
  return how.map((item: unknown) => {
    if (Array.isArray(item)) return toSpec(String(item[0]), item.slice(1).map(String))
    const { name, settings } = (item ?? {}) as { name?: unknown; settings?: unknown }
    if (typeof name !== 'string') throw unreadable('an entry of the list has no name')
    if (!Array.isArray(settings)) throw unreadable(`the settings of "${name}" are not a list`)
    return toSpec(name.replaceAll('-', '_').trim(), settings.map(String))
  })
}

function toSpec(name: string, settings: string[]): MergerSpec {
  const short = name.replace(/^m_/, '')
  if (short !== 'dict' && short !== 'list' && short !== 'str')
    throw unreadable(`there is no merger "${name}", wanted dict, list or str`)
  return { name: short, settings: new Set(settings.filter((setting) => setting !== '')) }
}

const unreadable = (why: string) => new DroverError('refused', why)
