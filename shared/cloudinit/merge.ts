import { type Dict, isDict } from '../dict.ts'
import { DroverError } from '../errors.ts'
import { type MergerSpec, takeMergers } from './merge-how.ts'

/**
 * cloud-init's merging of several cloud-config parts, with its results as they are, also where they surprise: a part
 * whose mergers do not include `dict` changes nothing, and `list()` replaces item by item, so a shorter list leaves the
 * rest of the longer one standing.
 * https://cloudinit.readthedocs.io/en/latest/reference/merging.html
 */

/** Merges a new value over an old one, by the type of the old one. */
type Merge = (before: unknown, after: unknown) => unknown
type Merger = (settings: ReadonlySet<string>, merge: Merge) => Merge

/** Merges parts in their order; each part says by `merge_how` how it is put over what came before. */
export function merge(parts: readonly object[]): Dict {
  return parts.reduce<Dict>((before, part) => {
    const { mergers, rest } = takeMergers(part as Dict)
    return toMerge(mergers)(before, rest) as Dict
  }, {})
}

function toMerge(specs: readonly MergerSpec[]): Merge {
  const mergeBy: Merge = (before, after) => {
    const type = typeOf(before)
    const spec = specs.find(({ name }) => name === type)
    // A type that no merger is for keeps its old value.
    return spec ? mergers[spec.name](spec.settings, mergeBy)(before, after) : before
  }
  return mergeBy
}

const typeOf = (value: unknown) =>
  typeof value === 'string' ? 'str' : Array.isArray(value) ? 'list' : isDict(value) ? 'dict' : 'other'

const mergers: Record<MergerSpec['name'], Merger> = {
  dict: (settings, merge) => {
    const replace = settings.has('replace')
    const again = recursion(settings, { dict: true })
    const mergeKey: Merge = (before, after) => (replace ? after : again(after) ? merge(before, after) : before)
    return (before, after) => (isDict(after) ? mergeDict(before as Dict, after, mergeKey, settings) : before)
  },
  list: (settings, merge) => {
    // The first that is set of these, in this order.
    const method = ['append', 'prepend', 'replace', 'no_replace'].find((one) => settings.has(one)) ?? 'replace'
    const again = recursion(settings, { dict: settings.has('recurse_dict') })
    return (before, after) => {
      const old = before as unknown[]
      if (method === 'replace' && !Array.isArray(after)) return after
      const fresh = items(after)
      if (method === 'append') return [...old, ...fresh]
      if (method === 'prepend') return [...fresh, ...old]
      if (method === 'no_replace' && isDict(after) && old.length > 0 && fresh.length > 0) throw unmergeable(after)
      if (method === 'no_replace') return [...old]
      return old.map((item, at) => (at >= fresh.length ? item : again(fresh[at]) ? merge(item, fresh[at]) : fresh[at]))
    }
  },
  str: (settings) => (before, after) => {
    if (!settings.has('append')) return after
    if (typeof after !== 'string') throw new DroverError('refused', `Cannot merge: ${name(after)} put after a text`)
    return `${before}${after}`
  },
}

function mergeDict(before: Dict, after: Dict, mergeKey: Merge, settings: ReadonlySet<string>): Dict {
  const merged = new Map(Object.entries(before))
  for (const [key, value] of Object.entries(after)) {
    if (!merged.has(key)) merged.set(key, value)
    else if (value === null && settings.has('allow_delete')) merged.delete(key)
    else merged.set(key, mergeKey(merged.get(key), value))
  }
  return Object.fromEntries(merged)
}

/** Which new values are merged with the old one instead of replacing it or giving way to it. */
function recursion(settings: ReadonlySet<string>, { dict }: { dict: boolean }): (after: unknown) => boolean {
  const list = settings.has('recurse_array') || settings.has('recurse_list')
  const str = settings.has('recurse_str')
  return (after) => ({ list, str, dict, other: false })[typeOf(after)]
}

/** What Python iterates over; where it would raise an error, cloud-init drops the whole part, and we refuse it. */
function items(value: unknown): unknown[] {
  if (Array.isArray(value)) return value
  if (typeof value === 'string') return [...value]
  if (isDict(value)) return Object.keys(value)
  throw unmergeable(value)
}

const unmergeable = (value: unknown) => new DroverError('refused', `Cannot merge: ${name(value)} put into a list`)

/** Nothing else comes here: only of maps, lists and texts is a value merged with the one before. */
const name = (value: unknown) => (isDict(value) ? 'a map' : 'a list')
