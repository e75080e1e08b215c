import { DroverError } from '../../errors.ts'
import type { GitResult } from './process.ts'
import { type Meaning, meanings } from './signs.ts'

/** What a failed exchange with the server means, whatever command it was. */
export interface Failure extends Pick<Meaning, 'kind' | 'about'> {
  error: DroverError
}

/** Reads from git's answer why `what` could not be done; `what` begins with a verb. */
export function toFailure(what: string, result: GitResult, redact: (text: string) => string): Failure {
  const text = redact(`${result.stdout}\n${result.stderr}`)
  const { kind, about, reason, why } = result.timedOut ? late : meaningOf(text)
  const error = new DroverError(reason, `Cannot ${what}: ${why}`, { cause: text.trim().slice(0, 4_000) })
  return about === undefined ? { kind, error } : { kind, about, error }
}

/** Whether the server did not take our token or key. */
export function isOfCredentials({ code, stdout, stderr }: GitResult): boolean {
  return code !== 0 && meaningOf(`${stdout}\n${stderr}`).about === 'credentials'
}

/** How a server, and we ourselves before it, say that the branch is no longer where the push began. */
const RACED =
  /\[(?:remote )?rejected\] \((?:stale info|fetch first|non-fast-forward|incorrect old value provided)\)|cannot lock ref .*: is at [0-9a-f]+ but expected/

/** Whether others were before a push: nothing has failed, what was to be committed is decided anew. */
export function isRaced({ code, stdout, stderr }: GitResult): boolean {
  return code !== 0 && RACED.test(`${stdout}\n${stderr}`)
}

/** Whether it failed because our own disk has no room. */
export function isOfRoom(error: unknown): boolean {
  if (typeof error === 'string') return meaningOf(error).about === 'room'
  if (!(error instanceof Error)) return false
  const { code, cause } = error as NodeJS.ErrnoException
  return code === 'ENOSPC' || code === 'EDQUOT' || isOfRoom(cause)
}

const late: Meaning = { kind: 'passing', reason: 'busy', why: 'the Git server did not answer in time' }

function meaningOf(text: string): Meaning {
  for (const { sign, means } of meanings) {
    const match = sign.exec(text)
    if (match) return means(match[1] ?? '', text)
  }
  return { kind: 'unclear', reason: 'busy', why: lastLine(text) }
}

function lastLine(text: string): string {
  const lines = text.split('\n').filter((line) => /^(?:fatal|error|!)/.test(line.trim()))
  return lines.at(-1)?.replace(/\s+/g, ' ').trim().slice(0, 300) ?? 'git failed without saying why'
}
