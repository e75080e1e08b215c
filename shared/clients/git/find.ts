import { DroverError } from '../../errors.ts'
import { inTurn } from '../coalesce.ts'
import type { Clone } from './clone.ts'
import { type Failure, toFailure } from './failure.ts'
import { messageLine } from './message.ts'

const DAY = 86_400
// About 40 MB; beyond it the history is read again rather than held.
const MOST_COMMITS = 200_000
const MOST_ATTEMPTS = 4

export interface Wanted {
  run: string
  step: string
  /** RFC 3339. */
  since: string
}

/** What was committed by which run, read once and brought up to date with each question. */
export interface History {
  /** The newest commit with these trailers, in the history of a commit; an empty repository has none. */
  find(wanted: Wanted, tip: string | undefined): Promise<string | undefined>
  /** Takes commits of ours, made on top of another one: what is known already is not read. */
  note(base: string | undefined, made: readonly Made[]): void
}

export interface Made extends Pick<Wanted, 'run' | 'step'> {
  commit: string
}

interface Question {
  tip: string
  start: number
  key: string
}

const keyOf = ({ run, step }: Pick<Wanted, 'run' | 'step'>) => `${messageLine(run)}\0${messageLine(step)}`

/** Opens the history of a clone; commits beyond the shallow clone are fetched only when a question reaches so far back. */
export function openHistory(clone: Clone, redact: (text: string) => string): History {
  const commits = new Map<string, string>()
  let remakes = clone.remakes
  let horizon = Number.POSITIVE_INFINITY
  let known: string | undefined

  const forget = () => {
    commits.clear()
    known = undefined
  }
  const deepen = async (tip: string, start: number): Promise<Failure | undefined> => {
    const result = await clone.deepen(start, tip)
    if (result.code !== 0) return toFailure('read the history of the fleet repository', result, redact)
    horizon = start
    forget()
    return undefined
  }
  const read = async (tip: string): Promise<Failure | undefined> => {
    const range = known === undefined ? [tip] : ['--left-right', `${known}...${tip}`]
    const trailer = (key: string) => `%(trailers:key=${key},valueonly,separator=%x20)`
    const format = `--format=%m%x00%H%x00${trailer('Drover-Run')}%x00${trailer('Drover-Step')}`
    const result = await clone.git(['log', '--reverse', format, ...range, '--'])
    // The commit that was read last may have been tidied away since, with a history that was rewritten.
    if (result.code !== 0 && known !== undefined) {
      forget()
      return read(tip)
    }
    if (result.code !== 0) return toFailure('search the history of the fleet repository', result, redact)
    const lines = result.stdout.split('\n').map((line) => line.split('\0'))
    // What was in the history is in it no more: somebody has rewritten it.
    if (lines.some(([mark]) => mark === '<')) {
      forget()
      return read(tip)
    }
    for (const [, commit, run, step] of lines) if (commit && run && step) commits.set(`${run}\0${step}`, commit)
    known = tip
    return undefined
  }
  const catchUpOnce = async ({ tip, start, key }: Question): Promise<Failure | undefined> => {
    if (remakes !== clone.remakes || commits.size > MOST_COMMITS) forget()
    if (remakes !== clone.remakes) horizon = Number.POSITIVE_INFINITY
    remakes = clone.remakes
    const failure = known !== undefined && known !== tip ? await read(tip) : undefined
    if (failure || commits.has(key)) return failure
    return (start < horizon ? await deepen(tip, start) : undefined) ?? (known === tip ? undefined : read(tip))
  }
  const catchUp = inTurn(async (question: Question): Promise<void> => {
    for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt++) {
      const failure = await catchUpOnce(question)
      // What was read is not of the clone that is there now, which begins with less.
      if (remakes !== clone.remakes) continue
      if (!failure) return
      if (failure.kind !== 'unclear' || attempt === MOST_ATTEMPTS) throw failure.error
      // Twice, and not the server's word: look for the fault in the clone.
      if (attempt === 2) await clone.remake(String(failure.error.cause))
    }
    throw new DroverError(
      'busy',
      'Cannot search the history of the fleet repository: its clone is made again and again',
    )
  })
  return {
    note(base, made) {
      if (known === undefined || known !== base || remakes !== clone.remakes) return
      for (const one of made) commits.set(keyOf(one), one.commit)
      known = made.at(-1)?.commit ?? known
    },
    async find({ run, step, since }, tip) {
      // A day more than asked for, because the clocks of those who commit may differ.
      const start = Math.floor(Date.parse(since) / 1_000) - DAY
      if (!Number.isFinite(start)) {
        throw new DroverError(
          'broken',
          `Cannot search the fleet repository: ${JSON.stringify(since)} is not a time, RFC 3339 was expected`,
        )
      }
      if (tip === undefined || /^0+$/.test(tip)) return undefined
      const key = keyOf({ run, step })
      if (known !== tip || !commits.has(key)) await catchUp({ tip, start, key })
      return commits.get(key)
    },
  }
}
