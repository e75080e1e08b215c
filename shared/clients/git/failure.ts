import { DroverError } from '../../errors.ts'
import type { GitResult } from './process.ts'

/** What a failed exchange with the server means, whatever command it was. */
export interface Failure {
  /** `final`: the server will say the same again. `passing`: it may not. `unclear`: maybe not the server's doing at all. */
  kind: 'final' | 'passing' | 'unclear'
  error: DroverError
}

// Git tells these apart in its messages alone: its exit code is 1 or 128 for all of them. LC_ALL=C keeps the messages as they are.
const STATUS = /(?:returned error: |HTTP )(\d{3})/
const NO_CREDENTIALS = /Authentication failed|could not read (?:Username|Password)|Permission denied/
const NOT_FOUND = /repository '.*' not found|does not appear to be a git repository/
const NETWORK =
  /unable to access|Could not resolve|Connection (?:refused|reset|timed out)|hung up|RPC failed|early EOF|unexpected disconnect/i
const DECLINED =
  /\[remote rejected\] \((.*(?:declined|prohibited|denied|protected|not allowed|currently checked out).*)\)/

/** Reads from git's answer why `what` could not be done; `what` begins with a verb. */
export function toFailure(what: string, result: GitResult, redact: (text: string) => string): Failure {
  const text = redact(`${result.stdout}\n${result.stderr}`)
  const make = (kind: Failure['kind'], reason: 'refused' | 'broken' | 'busy', why: string): Failure => ({
    kind,
    error: new DroverError(reason, `Cannot ${what}: ${why}`, { cause: text.trim().slice(0, 4_000) }),
  })
  if (result.timedOut) return make('passing', 'busy', 'the Git server did not answer in time')
  const declined = DECLINED.exec(text)
  if (declined) return make('final', 'refused', `the Git server declined it (${declined[1]})${remarks(text)}`)
  const status = Number(STATUS.exec(text)?.[1])
  if (status === 401 || NO_CREDENTIALS.test(text))
    return make('final', 'broken', 'the Git server does not accept our credentials')
  if (status === 403) return make('final', 'broken', 'the Git server forbids it (403)')
  if (status === 404 || NOT_FOUND.test(text))
    return make('final', 'broken', 'the Git server knows no such repository, or hides it from us')
  if (status >= 300 && status < 400)
    return make('final', 'broken', `the Git server redirects (${status}), its final address was expected`)
  if (status) return make('passing', 'busy', `the Git server answered ${status}`)
  if (NETWORK.test(text)) return make('passing', 'busy', 'the Git server cannot be reached')
  return make('unclear', 'busy', lastLine(text))
}

function remarks(text: string): string {
  const lines = [...text.matchAll(/^remote: *(\S.*?)\s*$/gm)].map((match) => match[1])
  return lines.length > 0 ? `: ${lines.join(' ').slice(0, 300)}` : ''
}

function lastLine(text: string): string {
  const lines = text.split('\n').filter((line) => /^(?:fatal|error|!)/.test(line.trim()))
  return lines.at(-1)?.replace(/\s+/g, ' ').trim().slice(0, 300) ?? 'git failed without saying why'
}
