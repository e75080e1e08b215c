import { outside, type Result } from '../../telemetry/outside.ts'
import type { Clone } from './clone.ts'
import { isRaced, toFailure } from './failure.ts'
import type { GitResult } from './process.ts'

/** A clone whose exchanges with the server are counted and traced. */
export function observed(clone: Clone, redact: (text: string) => string): Clone {
  const read = (what: string) => (result: GitResult) => resultOf(what, result, redact)
  return {
    ...clone,
    // Spread out they would be what they are now, for ever.
    get newest() {
      return clone.newest
    },
    get remakes() {
      return clone.remakes
    },
    get pushedAt() {
      return clone.pushedAt
    },
    get isAlone() {
      return clone.isAlone
    },
    fetch: () => outside({ to: 'git fetch' }, clone.fetch),
    seen: () => outside({ to: 'git fetch', what: 'tip' }, clone.seen),
    prefetch: (oids) => outside({ to: 'git fetch', what: 'files' }, () => clone.prefetch(oids)),
    deepen: (since, tip) =>
      outside({ to: 'git fetch', what: 'history' }, () => clone.deepen(since, tip), read('read the history')),
    push: (commit, base) => outside({ to: 'git push' }, () => clone.push(commit, base), read('push')),
  }
}

function resultOf(what: string, result: GitResult, redact: (text: string) => string): Result {
  if (result.code === 0) return { outcome: 'ok' }
  if (isRaced(result)) return { outcome: 'raced' }
  const { error } = toFailure(what, result, redact)
  return { outcome: error.reason, failure: error.message }
}
