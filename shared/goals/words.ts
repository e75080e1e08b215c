import type { Condition } from '../machines.ts'

/** Conditions that are bad when they hold: KubeVirt's of a machine, and that of a Job. */
const failures = ['Failure', 'Failed']

/** The cluster's own words: the messages of the conditions that should be otherwise. */
export function words(conditions: Condition[] | undefined): string {
  const bad = (conditions ?? []).filter(
    ({ type, status, message }) => message && status === (failures.includes(type) ? 'True' : 'False'),
  )
  const messages = [...new Set(bad.map(({ message }) => message))]
  return messages.length === 0 ? 'no reason given' : messages.join('; ')
}

/** Progress in steps of ten, so that a long import does not make an event each second. */
export function percent(progress: string | undefined): string {
  const value = Number.parseFloat(progress ?? '')
  return Number.isNaN(value) ? '' : ` ${Math.floor(value / 10) * 10}%`
}
