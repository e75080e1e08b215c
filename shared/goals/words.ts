import type { Condition } from '../machines.ts'

/** The cluster's own words: the messages of the conditions that do not hold. */
export function words(conditions: Condition[] | undefined, none: string): string {
  const bad = (conditions ?? []).filter(
    ({ type, status, message }) => message && (type === 'Failure' ? status === 'True' : status === 'False'),
  )
  const messages = [...new Set(bad.map(({ message }) => message))]
  return messages.length === 0 ? none : messages.join('; ')
}
