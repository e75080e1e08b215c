import { pathOf, show } from './show.ts'

/** What must hold before a schema looks at a value at all, so that its cost is bounded and its keys are only data. */

const deepest = 32
const mostNodes = 20_000
const forbidden = new Set(['__proto__', 'constructor', 'prototype'])

/** What makes a value unfit to be looked at, at once and in sentences; nothing when it is plain, small JSON. */
export function hazards(value: unknown, what: string): string[] {
  const problems: string[] = []
  let nodes = 0
  const visit = (node: unknown, path: string[]): void => {
    if (++nodes > mostNodes || problems.length > 20) return
    if (path.length > deepest) {
      problems.push(`${what} is nested deeper than ${deepest} levels`)
      return
    }
    const problem = oddity(node, () => pathOf(path) || what)
    if (problem) problems.push(problem)
    else if (typeof node === 'object' && node !== null)
      for (const [key, child] of entries(node)) visit(child, [...path, key])
  }
  const entries = (node: object): [string, unknown][] => {
    for (const key of Object.keys(node)) {
      if (forbidden.has(key)) problems.push(`${what} has a field named ${show(key)}, which is not allowed anywhere`)
      if (!key.isWellFormed()) problems.push(`${what} has a field whose name is not well-formed Unicode`)
    }
    return Object.entries(node).filter(([key]) => !forbidden.has(key))
  }
  visit(value, [])
  if (nodes > mostNodes) problems.push(`${what} has more than ${mostNodes} values`)
  return [...new Set(problems)]
}

/** Why one value is not plain JSON: a YAML file can hold dates, sets and numbers that JSON has not. */
function oddity(node: unknown, path: () => string): string | undefined {
  switch (typeof node) {
    case 'string':
      return node.isWellFormed() ? undefined : `${path()} is not well-formed Unicode`
    case 'number':
      return Number.isFinite(node) ? undefined : `${path()} is ${node}, wanted a number, or text in quotes`
    case 'object':
      if (node === null || Array.isArray(node) || Object.getPrototypeOf(node) === Object.prototype) return undefined
      return `${path()} is a ${node.constructor?.name.toLowerCase() ?? 'strange object'}, wanted text in quotes`
    case 'boolean':
    case 'undefined':
      return undefined
    default:
      return `${path()} is ${typeof node}, wanted a value of JSON`
  }
}
