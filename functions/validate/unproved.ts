import { callbackViolations } from '../../shared/policy.ts'
import type { Subject } from '../../shared/policy-rules.ts'
import type { Policy } from '../../shared/schema/fleet-files.ts'
import { show, summary } from '../../shared/schema/show.ts'
import { type Facts, type Run, refused } from '../../shared/step.ts'

/** A run whose request nobody has looked at yet. */
export interface Unproved extends Pick<Run, 'id' | 'lifecycle' | 'requester' | 'source'> {
  request: unknown
}

export const askerOf = ({ source = '', requester }: Unproved) => ({ source, requester })

export const refusal = (problems: readonly string[], facts: Facts = {}) =>
  refused(summary('Cannot grant the request', problems), facts)

/** Where the requester is told how the run ended; also of a refusal, as long as that very address is allowed. */
export function callbackOf(subject: Subject, policies: readonly Policy[]): Pick<Facts, 'callback'> {
  const { callback } = subject.request
  if (!callback || callbackProblems(subject.request).length > 0) return {}
  return callbackViolations(policies, subject).length > 0 ? {} : { callback }
}

export function callbackProblems({ callback }: Subject['request']): string[] {
  if (!callback) return []
  if (!URL.canParse(callback.url)) return [`callback.url is ${show(callback.url)}, wanted a URL`]
  return plainProblems('callback.url', callback.url, new URL(callback.url))
}

/** Nothing in an address may be secret, or be read in other ways by those who check it than by those who connect to it. */
export function plainProblems(path: string, text: string, { username, password, hostname }: URL): string[] {
  if (username || password) return [`${path} has a user name or password in it, wanted none: events are not secret`]
  const isPlain = /^([a-z0-9._-]+|\[[0-9a-f:.]+\])$/.test(hostname)
  return isPlain ? [] : [`${path} is ${show(text)}, wanted a host of letters, digits, "-" and "."`]
}
