import { isDict } from '../../shared/dict.ts'
import { type Complain, type Fields, readFields, refuseOthers } from './fields.ts'
import type { Filter, TriggerFilters } from './filter.ts'

const dialects = ['exact', 'prefix', 'suffix', 'all', 'any', 'not']

/** The filters of a Trigger's `spec`; what is wrong with them is complained about. */
export function readFilters(spec: Fields, complain: Complain): TriggerFilters {
  const filter = readFields(spec['filter'], 'spec.filter', complain)
  if (filter) refuseOthers(filter, ['attributes'], 'spec.filter', complain)
  const attributes = readTexts(filter?.['attributes'], 'spec.filter.attributes', complain)
  return { filter: { attributes }, filters: readList(spec['filters'] ?? [], 'spec.filters', complain) }
}

/** Where CESQL stands in the filters of a Trigger, if anywhere: the local Broker does not know it. */
export function findCesql(filters: unknown, field = 'spec.filters'): string | undefined {
  if (typeof filters !== 'object' || filters === null) return undefined
  for (const [key, value] of Object.entries(filters)) {
    const inner = Array.isArray(filters) ? `${field}[${key}]` : `${field}.${key}`
    const found = key === 'cesql' ? inner : findCesql(value, inner)
    if (found !== undefined) return found
  }
  return undefined
}

function readList(value: unknown, field: string, complain: Complain): Filter[] {
  if (Array.isArray(value)) return value.map((item, index) => readFilter(item, `${field}[${index}]`, complain))
  complain(field, value, 'a list')
  return []
}

function readFilter(value: unknown, field: string, complain: Complain): Filter {
  const given = isDict(value) ? Object.keys(value) : []
  if (!isDict(value) || given.length > 1) complain(field, value, `an object with one of ${dialects.join(', ')}`)
  const dialect = given[0]
  if (!isDict(value) || dialect === undefined) return {}
  return readDialect(dialect, value[dialect], `${field}.${dialect}`, complain)
}

function readDialect(dialect: string, value: unknown, field: string, complain: Complain): Filter {
  switch (dialect) {
    case 'exact':
    case 'prefix':
    case 'suffix':
      return { [dialect]: readTexts(value, field, complain) }
    case 'all':
    case 'any':
      return { [dialect]: readList(value, field, complain) }
    case 'not':
      return readNot(value, field, complain)
    default:
      complain(field, value, `one of ${dialects.join(', ')}`)
      return {}
  }
}

/** `not` around nothing makes the real Broker fall over. */
function readNot(value: unknown, field: string, complain: Complain): Filter {
  if (isDict(value) && Object.keys(value).length === 0) complain(field, value, 'a filter inside')
  return { not: readFilter(value, field, complain) }
}

function readTexts(value: unknown, field: string, complain: Complain): Record<string, string> {
  const texts = readFields(value, field, complain) ?? {}
  for (const [name, text] of Object.entries(texts)) {
    if (!/^[a-z][a-z0-9]*$/.test(name)) complain(field, name, 'names of a letter and then letters and digits, a-z, 0-9')
    if (typeof text !== 'string') complain(`${field}.${name}`, text, 'text (in YAML: in quotes)')
  }
  return texts as Record<string, string>
}
