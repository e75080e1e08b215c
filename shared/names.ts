import type { ProvisionRequest } from './schema/provision-request.ts'
import { show } from './schema/show.ts'
import type { Template } from './schema/template.ts'

/** How a machine comes to its name: the one that is asked for, or a pattern whose lowest free number is taken. */
export type Naming = { name: string } | { pattern: string; values: Values; longest: number }

const fields = ['environment', 'application', 'namespace', 'template'] as const
type Values = Partial<Record<(typeof fields)[number], string>>

const placeholders = /\{([a-z]+)(?::([1-6]))?\}/g
/** What a `{number}` without a width counts to. */
const unboundedNumbers = 99_999

/** The naming of a request, or undefined when neither it nor its template says anything. */
export function namingOf(request: ProvisionRequest, template: Template): Naming | undefined {
  if (request.name !== undefined) return { name: request.name }
  const pattern = request.namePattern ?? template.namePattern
  return pattern === undefined ? undefined : { pattern, values: request, longest: longestName(template) }
}

/** The longest name for machines of a template: what DNS takes as a label, or for Windows what NetBIOS takes. */
const longestName = (template: Template) => template.maxNameLength ?? (template.guest === 'windows' ? 15 : 63)

/** What keeps a request from getting a name, whether or not names are free. */
export function namingProblems(request: ProvisionRequest, template: Template): string[] {
  const problems: string[] = []
  const longest = longestName(template)
  if (request.name !== undefined && request.namePattern !== undefined)
    problems.push('name and namePattern are both there, wanted one of them')
  if (request.name !== undefined && request.name.length > longest)
    problems.push(`name has ${request.name.length} characters, wanted at most ${longest}`)
  const naming = namingOf(request, template)
  if (!naming)
    problems.push(`name is missing, wanted name or namePattern: template ${show(request.template)} has no pattern`)
  if (naming && 'pattern' in naming) {
    const whose =
      request.namePattern === undefined ? `namePattern of template ${show(request.template)}` : 'namePattern'
    problems.push(...patternProblems(whose, naming, longest))
  }
  return problems
}

function patternProblems(
  whose: string,
  { pattern, values }: { pattern: string; values: Values },
  longest: number,
): string[] {
  const problems: string[] = []
  for (const [placeholder, word = '', width] of pattern.matchAll(placeholders)) {
    if (word === 'number') continue
    const known = fields.find((field) => field === word)
    if (!known) problems.push(`${whose} has ${placeholder}, wanted {${fields.join('}, {')}} or {number:3}`)
    else if (width) problems.push(`${whose} has ${placeholder}, wanted {${word}}: only a number has a width`)
    else if (values[known] === undefined)
      problems.push(`${word} is missing, wanted a value for ${whose} ${show(pattern)}`)
  }
  if (problems.length > 0) return problems
  const first = expand(pattern, values, 1)
  if (first.length > longest)
    return [`${whose} ${show(pattern)} gives ${show(first)} of ${first.length} characters, wanted at most ${longest}`]
  if (!/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(first))
    return [`${whose} ${show(pattern)} gives ${show(first)}, wanted it to begin and end with a letter or digit`]
  return []
}

/** The name that a pattern gives for a number. */
const expand = (pattern: string, values: Values, number: number): string =>
  pattern.replace(placeholders, (_, word: string, width: string | undefined) =>
    word === 'number' ? String(number).padStart(Number(width ?? 1), '0') : (values[word as keyof Values] ?? ''),
  )

/** The name that is tried at a number from 1 on; undefined when a naming has no more. */
export function candidate(naming: Naming, number: number): string | undefined {
  if ('name' in naming) return number === 1 ? naming.name : undefined
  const { pattern, values, longest } = naming
  if (number > highestNumber(pattern)) return undefined
  const name = expand(pattern, values, number)
  return name.length > longest ? undefined : name
}

/** The highest number of a pattern; the narrowest `{number}` counts, and without one there is a single name. */
function highestNumber(pattern: string): number {
  const widths = [...pattern.matchAll(placeholders)].filter(([, word]) => word === 'number').map(([, , width]) => width)
  if (widths.length === 0) return 1
  return Math.min(...widths.map((width) => (width ? 10 ** Number(width) - 1 : unboundedNumbers)))
}

/** A naming in words for people, such as "prod-shop-*". */
export const describe = (naming: Naming): string =>
  'name' in naming
    ? naming.name
    : naming.pattern.replace(placeholders, (_, word: string) =>
        word === 'number' ? '*' : (naming.values[word as keyof Values] ?? ''),
      )
