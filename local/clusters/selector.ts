import { isDict } from '../../shared/dict.ts'
import { badRequest } from './api-error.ts'
import type { KubeObject } from './object.ts'

export type Test = (object: KubeObject) => boolean

interface Requirement {
  key: string
  operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'
  values?: string[] | undefined
}

/** A label selector as manifests write it. */
export interface LabelSelector {
  matchLabels?: Record<string, string> | undefined
  matchExpressions?: Requirement[] | undefined
}

/** Whether labels fit a selector; the empty selector fits all. */
export function selects(
  { matchLabels = {}, matchExpressions = [] }: LabelSelector,
  labels: Record<string, string>,
): boolean {
  const equal = Object.entries(matchLabels).every(([key, value]) => labels[key] === value)
  return equal && matchExpressions.every((requirement) => meets(requirement, labels[requirement.key]))
}

function meets({ operator, values = [] }: Requirement, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
  }
}

/** The test that a `labelSelector` of a query means: `a=b,c!=d,e in (f,g),h,!i`. */
export function labelTest(text: string): Test {
  const parts = text.split(/,(?![^(]*\))/).map((part) => part.trim())
  const requirements = parts.filter((part) => part !== '').map(requirement)
  return ({ metadata }) => requirements.every((one) => meets(one, metadata.labels?.[one.key]))
}

function requirement(text: string): Requirement {
  const set = /^(\S+)\s+(in|notin)\s*\(([^)]*)\)$/.exec(text)
  if (set)
    return {
      key: set[1] ?? '',
      operator: set[2] === 'in' ? 'In' : 'NotIn',
      values: (set[3] ?? '').split(',').map((value) => value.trim()),
    }
  const equal = /^([^!=\s]+)\s*(!=|==?)\s*(\S*)$/.exec(text)
  if (equal) return { key: equal[1] ?? '', operator: equal[2] === '!=' ? 'NotIn' : 'In', values: [equal[3] ?? ''] }
  const exists = /^(!?)\s*([^!=\s]+)$/.exec(text)
  if (exists) return { key: exists[2] ?? '', operator: exists[1] ? 'DoesNotExist' : 'Exists' }
  throw badRequest(`unable to parse requirement: found ${JSON.stringify(text)}, expected a key, an operator and values`)
}

/** The test that a `fieldSelector` of a query means: paths compared with `=` or `!=`. */
export function fieldTest(text: string): Test {
  const terms = text
    .split(',')
    .filter((term) => term !== '')
    .map(term)
  return (object) => terms.every(({ path, equal, value }) => (String(fieldAt(object, path) ?? '') === value) === equal)
}

function term(text: string): { path: string; equal: boolean; value: string } {
  const found = /^([^!=]+)(!=|==?)(.*)$/.exec(text)
  if (!found) throw badRequest(`invalid field selector: ${JSON.stringify(text)}; wanted path=value`)
  return { path: found[1] ?? '', equal: found[2] !== '!=', value: found[3] ?? '' }
}

/** The value at a path such as `status.conditions[Ready].status` or `status.interfaces.0.ipAddress`. */
export function fieldAt(object: unknown, path: string): unknown {
  let value = object
  for (const part of path.split('.')) {
    const [, field = '', type] = /^([^[]*)(?:\[(.*)\])?$/.exec(part) ?? []
    value = isDict(value) ? value[field] : Array.isArray(value) ? value[Number(field)] : undefined
    if (type !== undefined)
      value = Array.isArray(value) ? value.find((one) => isDict(one) && one['type'] === type) : undefined
  }
  return value
}
