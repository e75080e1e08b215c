import { parseDuration } from './duration.ts'
import { type Complain, type Fields, refuseOthers } from './fields.ts'
import type { Policy } from './plan.ts'

const fields = ['deadLetterSink', 'retry', 'backoffPolicy', 'backoffDelay', 'timeout', 'format', 'retryAfterMax']

/** How deliveries are tried, by the `delivery` of a Broker or Trigger; what is wrong with it is complained about. */
export function readPolicy(delivery: Fields, complain: Complain): Policy {
  refuseOthers(delivery, fields, 'spec.delivery', complain)
  readChoice(delivery['format'], 'format', ['binary', 'json'], complain)
  return {
    retry: readRetry(delivery['retry'] ?? 0, complain),
    pause: toPause(
      readChoice(delivery['backoffPolicy'], 'backoffPolicy', ['linear', 'exponential'], complain),
      readDuration(delivery['backoffDelay'], 'backoffDelay', complain),
    ),
    timeout: readDuration(delivery['timeout'], 'timeout', complain),
  }
}

/** Linear starts at no pause, exponential at one delay; without both a policy and a delay there is no pause. */
function toPause(policy: string | undefined, delay: number | undefined): (attempt: number) => number {
  if (policy === undefined || delay === undefined) return () => 0
  return policy === 'linear' ? (attempt) => delay * attempt : (attempt) => delay * 2 ** attempt
}

function readRetry(retry: unknown, complain: Complain): number {
  if (typeof retry === 'number' && Number.isInteger(retry) && retry >= 0) return retry
  complain('spec.delivery.retry', retry, 'a whole number, 0 or more')
  return 0
}

function readChoice(value: unknown, name: string, choices: string[], complain: Complain): string | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'string' && choices.includes(value)) return value
  complain(`spec.delivery.${name}`, value, choices.join(' or '))
  return undefined
}

function readDuration(value: unknown, name: string, complain: Complain): number | undefined {
  if (value === undefined) return undefined
  const duration = typeof value === 'string' ? parseDuration(value) : undefined
  if (duration === undefined) complain(`spec.delivery.${name}`, value, 'an ISO 8601 duration such as PT0.2S')
  return duration
}
