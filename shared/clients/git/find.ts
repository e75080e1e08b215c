import { DroverError } from '../../errors.ts'
import { inTurn } from '../coalesce.ts'
import type { Clone } from './clone.ts'
import { toFailure } from './failure.ts'
import { messageLine } from './message.ts'

const DAY = 86_400
// About 40 MB; beyond it the history is read again rather than held.
const MOST_COMMITS = 200_000

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
  const deepen = async (tip: string, start: number): Promise<void> => {
    if (await isDeeperWorthwhile(clone, tip, start)) {
      const result = await clone.deepen(start)
      if (result.code !== 0) throw toFailure('read the history of the fleet repository', result, redact).error
    }
    horizon = start
    forget()
  }
  const read = async (tip: string): Promise<void> => {
    const range = known === undefined ? [tip] : ['--left-right', `${known}...${tip}`]
    const trailer = (key: string) => `%(trailers:key=${key},valueonly,separator=%x20)`
    const format = `--format=%m%x00%H%x00${trailer('Drover-Run')}%x00${trailer('Drover-Step')}`
    const result = await clone.git(['log', '--reverse', format, ...range, '--'])
    // The commit that was read last may have been tidied away since, with a history that was rewritten.
    if (result.code !== 0 && known !== undefined) {
      forget()
      return read(tip)
    }
    if (result.code !== 0) throw toFailure('search the history of the fleet repository', result, redact).error
    const lines = result.stdout.split('\n').map((line) => line.split('\0'))
    // What was in the history is in it no more: somebody has rewritten it.
    if (lines.some(([mark]) => mark === '<')) {
      forget()
      return read(tip)
    }
    for (const [, commit, run, step] of lines) if (commit && run && step) commits.set(`${run}\0${step}`, commit)
    known = tip
  }
  const catchUp = inTurn(async ({ tip, start, key }: { tip: string; start: number; key: string }): Promise<void> => {
    if (remakes !== clone.remakes || commits.size > MOST_COMMITS) forget()
    if (remakes !== clone.remakes) horizon = Number.POSITIVE_INFINITY
    remakes = clone.remakes
    if (known !== undefined && known !== tip) await read(tip)
    if (commits.has(key)) return
    if (start < horizon) await deepen(tip, start)
    if (known !== tip) await read(tip)
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

/** False when the newest commit is older than the time asked for: a server answers that with an error. */
async function isDeeperWorthwhile(clone: Clone, tip: string, start: number): Promise<boolean> {
  const result = await clone.git(['log', '-1', '--format=%ct', tip, '--'])
  return Number(result.stdout) >= start
}
