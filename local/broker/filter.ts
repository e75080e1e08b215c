import type { Attributes } from './event.ts'

/** One element of a Trigger's `spec.filters`: exactly one dialect. */
export interface Filter {
  exact?: Record<string, string>
  prefix?: Record<string, string>
  suffix?: Record<string, string>
  all?: Filter[]
  any?: Filter[]
  not?: Filter
}

/** The part of a Trigger's `spec` that says which events it wants. */
export interface TriggerFilters {
  filter?: { attributes?: Record<string, string> }
  filters?: Filter[]
}

/** Whether a Trigger wants an event of these attributes: by `filters` when there are any, else by `filter`. */
export function matches({ filter, filters }: TriggerFilters, attributes: Partial<Attributes>): boolean {
  if (filters && filters.length > 0) return every(filters, attributes)
  return Object.entries(filter?.attributes ?? {}).every(([name, wanted]) => hasAttribute(attributes, name, wanted))
}

/** In `filter`, an empty value asks for any value; the real Broker then takes an event without time for one of year 1. */
function hasAttribute(attributes: Partial<Attributes>, name: string, wanted: string): boolean {
  if (wanted === '') return name === 'time' || Boolean(lookUp(attributes, name))
  return lookUp(attributes, name) === wanted
}

function every(filters: Filter[], attributes: Partial<Attributes>): boolean {
  return filters.filter((filter) => !isEmpty(filter)).every((filter) => passes(filter, attributes))
}

/** Elements without a dialect, or with an empty name or value, count as not there. */
function isEmpty({ exact, prefix, suffix, all, any, not }: Filter): boolean {
  if (all ?? any ?? not) return false
  const wanted = Object.entries(exact ?? prefix ?? suffix ?? {})
  return wanted.length === 0 || wanted.some(([name, value]) => name === '' || value === '')
}

function passes({ exact, prefix, suffix, all, any, not }: Filter, attributes: Partial<Attributes>): boolean {
  if (exact) return compare(exact, attributes, (value, wanted) => value === wanted)
  if (prefix) return compare(prefix, attributes, (value, wanted) => value.startsWith(wanted))
  if (suffix) return compare(suffix, attributes, (value, wanted) => value.endsWith(wanted))
  if (all) return every(all, attributes)
  if (any) return isAny(any, attributes)
  return not === undefined || !passes(not, attributes)
}

function isAny(any: Filter[], attributes: Partial<Attributes>): boolean {
  const filters = any.filter((filter) => !isEmpty(filter))
  return filters.length === 0 || filters.some((filter) => passes(filter, attributes))
}

function compare(
  wanted: Record<string, string>,
  attributes: Partial<Attributes>,
  fits: (value: string, wanted: string) => boolean,
): boolean {
  return Object.entries(wanted).every(([name, want]) => {
    const value = lookUp(attributes, name)
    return value !== undefined && fits(value, want)
  })
}

function lookUp(attributes: Partial<Attributes>, name: string): string | undefined {
  if (name === 'schemaurl') return attributes.dataschema
  if (name === 'datamediatype') return attributes.datacontenttype?.split(';')[0]?.trim()
  return Object.hasOwn(attributes, name) ? attributes[name] : undefined
}
