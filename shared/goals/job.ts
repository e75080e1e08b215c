import type { Job } from '../machines.ts'
import { type Assessment, failed, reached, waiting } from './assessment.ts'
import { words } from './words.ts'

/** A Job has ended; how it went, its pod has said, and is asked next. Undefined while the Job is not there. */
export function assessJob(jobs: readonly Job[], name: string, doing: string): Assessment | undefined {
  const conditions = conditionsOf(jobs, name)
  if (!conditions) return undefined
  if (is(conditions, 'Complete') || is(conditions, 'Failed')) return reached('The Job has ended')
  return waiting(`Job ${name} ${doing}`)
}

/** Why nothing can be made of what a Job's pods said at their end; undefined where they said something. */
export function silenceOf(jobs: readonly Job[], name: string, said: string): Assessment | undefined {
  if (said !== '') return undefined
  // A pod that was ended from outside says nothing; the Job knows why.
  return hasFailed(jobs, name)
    ? failed(`Job ${name} failed: ${words(conditionsOf(jobs, name))}`)
    : waiting(`Job ${name} has ended, its pod has not said how`)
}

/** True of a Job that came to nothing. */
export const hasFailed = (jobs: readonly Job[], name: string): boolean => is(conditionsOf(jobs, name) ?? [], 'Failed')

const conditionsOf = (jobs: readonly Job[], name: string) => {
  const found = jobs.find(({ metadata }) => metadata.name === name)
  return found && (found.status?.conditions ?? [])
}

const is = (conditions: readonly { type: string; status: string }[], type: string) =>
  conditions.some((one) => one.type === type && one.status === 'True')
