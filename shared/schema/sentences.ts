import type { ErrorObject } from 'ajv'
import { nearest } from '../nearest.ts'
import { listed, pathOf, show } from './show.ts'

/** The parts of a JSON Schema that a sentence is made of. */
interface Schema {
  description?: string
  type?: string
  const?: unknown
  enum?: unknown[]
  pattern?: string
  properties?: Record<string, Schema>
  patternProperties?: Record<string, Schema>
  required?: string[]
  anyOf?: Schema[]
}

/** What ajv found wrong, as sentences: where, what is there, what is wanted. */
export function sentences(errors: readonly ErrorObject[], what: string): string[] {
  return [...new Set(settled(errors).map((error) => sentenceOf(error, what)))]
}

/**
 * ajv reports every branch of a union. What people want to read is either the faults of the branch they meant or the
 * choice that they have, so the other errors of a union are dropped.
 */
function settled(errors: readonly ErrorObject[]): ErrorObject[] {
  const union = errors
    .filter((error) => error.keyword === 'anyOf')
    .sort((a, b) => a.schemaPath.length - b.schemaPath.length)[0]
  if (!union) return [...errors]
  const within = (error: ErrorObject, schemaPath: string) =>
    error.schemaPath.startsWith(`${schemaPath}/`) &&
    (error.instancePath === union.instancePath || error.instancePath.startsWith(`${union.instancePath}/`))
  const others = errors.filter((error) => error !== union && !within(error, union.schemaPath))
  const branch = meant(union)
  const own = branch === undefined ? [] : errors.filter((error) => within(error, `${union.schemaPath}/${branch}`))
  return own.length > 0 ? [...settled(own), ...settled(others)] : [{ ...union, keyword: 'choice' }, ...settled(others)]
}

/** The branch of a union that an object has the most fields of; undefined when that does not tell. */
function meant(union: ErrorObject): number | undefined {
  const value: unknown = union.data
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const keys = Object.keys(value)
  const fits = (schemaOf(union).anyOf ?? []).map(
    ({ properties = {} }) => keys.filter((key) => Object.hasOwn(properties, key)).length,
  )
  const most = Math.max(...fits)
  const branch = fits.indexOf(most)
  return most > 0 && fits.indexOf(most, branch + 1) < 0 ? branch : undefined
}

function sentenceOf(error: ErrorObject, what: string): string {
  const segments = segmentsOf(error.instancePath)
  const path = pathOf(segments) || what
  const params = error.params as Record<string, unknown>
  const schema = schemaOf(error)
  switch (error.keyword) {
    case 'required':
      return missing(
        pathOf([...segments, String(params['missingProperty'])]),
        schema,
        String(params['missingProperty']),
      )
    case 'additionalProperties':
      return unknown(segments, String(params['additionalProperty']), schema)
    case 'choice':
      return `${path} is ${show(error.data)}, wanted ${choice(schema)}`
    case 'minItems':
    case 'maxItems':
      return `${path} has ${count((error.data as unknown[]).length, 'entry', 'entries')}, wanted ${limit(error)}`
    case 'minProperties':
    case 'maxProperties':
      return `${path} has ${count(Object.keys(error.data as object).length, 'field', 'fields')}, wanted ${limit(error)}`
    case 'uniqueItems':
      return `${path} names ${show((error.data as unknown[])[Number(params['i'])])} twice, wanted each one once`
    default:
      return `${path} is ${show(error.data)}, wanted ${wanted(error)}${stranger(error)}`
  }
}

const segmentsOf = (pointer: string) =>
  pointer
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'))

/** With `verbose`, ajv hands out the schema that holds the failed keyword. */
const schemaOf = (error: ErrorObject) => (error.parentSchema ?? {}) as Schema

function missing(path: string, schema: Schema, field: string): string {
  const property = schema.properties?.[field]
  return property ? `${path} is missing, wanted ${kind(property)}` : `${path} is missing`
}

function unknown(segments: readonly string[], field: string, schema: Schema): string {
  if (schema.patternProperties)
    return `${pathOf(segments)} has the key ${show(field)}, wanted ${schema.description ?? 'another key'}`
  const known = Object.keys(schema.properties ?? {})
  const near = nearest(field, known)
  const hint = near ? `did you mean ${show(near)}?` : `known are ${listed(known, 30)}`
  return `${pathOf([...segments, field])} is not a known field: ${hint}`
}

/** What a schema takes, in words. */
function kind(schema: Schema): string {
  if (schema.description) return schema.description
  if (schema.anyOf) return choice(schema)
  if (schema.const !== undefined) return show(schema.const)
  if (schema.enum) return schema.enum.map(show).join(' or ')
  if (schema.properties) return shape(schema)
  return words[schema.type ?? ''] ?? 'another value'
}

const words: Record<string, string> = {
  object: 'an object',
  array: 'a list',
  string: 'text',
  boolean: 'true or false',
  integer: 'a whole number',
  number: 'a number',
}

/** The alternatives of a union: literals by value, objects by their fields, the optional ones with a question mark. */
function choice(schema: Schema): string {
  const alternatives = schema.anyOf ?? []
  if (alternatives.every((one) => one.const !== undefined))
    return alternatives.map((one) => show(one.const)).join(' or ')
  return `either ${alternatives.map(shape).join(' or ')}`
}

function shape(schema: Schema): string {
  if (!schema.properties) return kind(schema)
  const fields = Object.keys(schema.properties).map((name) => (schema.required?.includes(name) ? name : `${name}?`))
  return `{${fields.join(', ')}}`
}

function wanted(error: ErrorObject): string {
  const schema = schemaOf(error)
  if (schema.description) return schema.description
  const { limit: bound, comparison } = error.params as { limit?: number; comparison?: string }
  if (comparison) return `a number ${comparison} ${bound}`
  if (error.keyword === 'maxLength') return `at most ${bound} characters`
  if (error.keyword === 'pattern') return `text that matches ${schema.pattern}`
  return kind(schema)
}

const limit = (error: ErrorObject) =>
  `${error.keyword.startsWith('min') ? 'at least' : 'at most'} ${(error.params as { limit: number }).limit}`

const count = (number: number, one: string, many: string) => `${number} ${number === 1 ? one : many}`

/** Letters of other scripts can look like Latin ones, so the sentence names the one that breaks a pattern. */
function stranger(error: ErrorObject): string {
  const { pattern } = schemaOf(error)
  if (error.keyword !== 'pattern' || !pattern || typeof error.data !== 'string') return ''
  const found = /\P{ASCII}/u.exec(error.data)?.[0]
  if (!found || !new RegExp(pattern, 'u').test(error.data.replace(/\P{ASCII}/gu, ''))) return ''
  return ` (it holds the character U+${found.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}, which is not ASCII)`
}
