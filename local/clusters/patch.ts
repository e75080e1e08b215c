import { isDict } from '../../shared/dict.ts'
import { badRequest } from './api-error.ts'
import type { Fields } from './object.ts'

/** JSON merge patch (RFC 7386). `null` removes a field. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isDict(patch)) return patch
  const result: Fields = isDict(target) ? { ...target } : {}
  for (const [field, value] of Object.entries(patch)) {
    if (value === null) delete result[field]
    else set(result, field, mergePatch(Object.hasOwn(result, field) ? result[field] : undefined, value))
  }
  return result
}

interface Operation {
  op: string
  path: string
  from?: string
  value?: unknown
}

/** JSON patch (RFC 6902): all operations, or an error that names the one which does not fit. */
export function jsonPatch(target: unknown, operations: unknown): unknown {
  if (!Array.isArray(operations)) throw badRequest('error decoding patch: a JSON patch is a list of operations')
  let result = structuredClone(target)
  for (const operation of operations as Operation[]) result = applyOne(result, operation)
  return result
}

function applyOne(document: unknown, { op, path, from, value }: Operation): unknown {
  const tokens = pointer(path)
  switch (op) {
    case 'add':
      return write(document, tokens, value, true)
    case 'replace':
      read(document, tokens)
      return write(document, tokens, value, false)
    case 'remove':
      return remove(document, tokens)
    case 'copy':
      return write(document, tokens, structuredClone(read(document, pointer(from ?? ''))), true)
    case 'move': {
      const moved = read(document, pointer(from ?? ''))
      return write(remove(document, pointer(from ?? '')), tokens, moved, true)
    }
    case 'test':
      if (JSON.stringify(read(document, tokens)) === JSON.stringify(value)) return document
      throw badRequest(`testing value ${path} failed`)
    default:
      throw badRequest(`Unexpected kind: ${op}`)
  }
}

/** The tokens of a JSON pointer. */
function pointer(path: string): string[] {
  return path
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function read(document: unknown, tokens: string[]): unknown {
  let value = document
  for (const token of tokens) {
    const child = childOf(value, token)
    if (child === undefined) throw badRequest(`the path /${tokens.join('/')} does not exist: missing value`)
    value = child
  }
  return value
}

function write(document: unknown, tokens: string[], value: unknown, insert: boolean): unknown {
  const last = tokens.at(-1)
  if (last === undefined) return value
  const parent = read(document, tokens.slice(0, -1))
  if (Array.isArray(parent)) {
    const at = last === '-' ? parent.length : Number(last)
    parent.splice(at, insert ? 0 : 1, value)
  } else if (isDict(parent)) set(parent, last, value)
  return document
}

function remove(document: unknown, tokens: string[]): unknown {
  read(document, tokens)
  const parent = read(document, tokens.slice(0, -1))
  const last = tokens.at(-1) ?? ''
  if (Array.isArray(parent)) parent.splice(Number(last), 1)
  else if (isDict(parent)) delete parent[last]
  return document
}

/** Takes what a JSON pointer names out of a document, in place; nothing where there is no such thing. */
export function removeIfThere(document: unknown, path: string): void {
  const tokens = pointer(path)
  const last = tokens.at(-1)
  if (last === undefined) return
  const parent = tokens.slice(0, -1).reduce(childOf, document)
  if (childOf(parent, last) === undefined) return
  if (Array.isArray(parent)) parent.splice(Number(last), 1)
  else if (isDict(parent)) delete parent[last]
}

/** The JSON pointers that a path of jq's leads to in a document; of jq it knows fields and `[]?`, such as `.spec.data[]?.name`. */
export function pointersOf(document: unknown, expression: string): string[] {
  if (!/^(\.[A-Za-z]+(\[\]\?)?)+$/.test(expression)) throw new Error(`Cannot follow the path ${expression}`)
  const steps = expression.slice(1).replaceAll('[]?', '.[]').split('.')
  return steps
    .reduce<[string, unknown][]>(
      (found, step) => found.flatMap(([path, value]) => stepsFrom(path, value, step)),
      [['', document]],
    )
    .map(([path]) => path)
}

function stepsFrom(path: string, value: unknown, step: string): [string, unknown][] {
  if (step !== '[]') return [[`${path}/${step}`, childOf(value, step)]]
  return Array.isArray(value) ? value.map((one, index) => [`${path}/${index}`, one]) : []
}

function childOf(value: unknown, token: string): unknown {
  if (Array.isArray(value)) return value[Number(token)]
  return isDict(value) && Object.hasOwn(value, token) ? value[token] : undefined
}

/** Sets a field of its own, so that `__proto__` in a patch stays a name like any other. */
function set(target: Fields, field: string, value: unknown): void {
  Object.defineProperty(target, field, { value, writable: true, enumerable: true, configurable: true })
}
