import { isDict } from '../../shared/dict.ts'
/** Says that a field is wrong: which one, what it is, what was wanted. */
export type Complain = (field: string, is: unknown, wanted: string) => void

export type Fields = Record<string, unknown>

/** The value as an object, or an empty one. */
export function toFields(value: unknown): Fields {
  return isDict(value) ? value : {}
}

/** The object in a field, which may be absent. */
export function readFields(value: unknown, field: string, complain: Complain): Fields | undefined {
  if (value === undefined || value === null) return undefined
  if (isDict(value)) return value
  complain(field, value, 'an object')
  return undefined
}

/** Complains about fields that nobody reads: mostly they are misspelt. */
export function refuseOthers(fields: Fields, known: readonly string[], field: string, complain: Complain): void {
  for (const name of Object.keys(fields)) {
    if (!known.includes(name)) complain(`${field}.${name}`, fields[name], `one of ${known.join(', ')}`)
  }
}
