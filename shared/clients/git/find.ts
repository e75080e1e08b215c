import { DroverError } from '../../errors.ts'
import type { Clone } from './clone.ts'
import { toFailure } from './failure.ts'
import { oneLine } from './message.ts'

const DAY = 86_400_000

/** The newest commit with these trailers; history beyond the shallow clone is fetched only when it is needed. */
export async function findCommit(
  clone: Clone,
  { run, step, since }: { run: string; step: string; since: string },
  redact: (text: string) => string,
): Promise<string | undefined> {
  // A day more than asked for, because the clocks of those who commit may differ.
  const start = Math.floor((Date.parse(since) - DAY) / 1_000)
  if (!Number.isFinite(start)) {
    throw new DroverError(
      'broken',
      `Cannot search the fleet repository: ${JSON.stringify(since)} is not a time, RFC 3339 was expected`,
    )
  }
  const tip = await clone.fetch()
  if (tip.commit === undefined) return undefined
  const wanted = { run: oneLine(run), step: oneLine(step) }
  const near = await search(clone, tip.commit, wanted, redact)
  if (near !== undefined) return near
  if (!(await isDeeperWorthwhile(clone, tip.commit, start))) return undefined
  const result = await clone.deepen(start)
  if (result.code !== 0) throw toFailure('read the history of the fleet repository', result, redact).error
  return search(clone, tip.commit, wanted, redact)
}

async function search(
  clone: Clone,
  tip: string,
  { run, step }: { run: string; step: string },
  redact: (text: string) => string,
): Promise<string | undefined> {
  const trailer = (key: string) => `%(trailers:key=${key},valueonly,separator=%x20)`
  const format = `--format=%H%x00${trailer('Drover-Run')}%x00${trailer('Drover-Step')}`
  const grep = ['--fixed-strings', '--all-match', `--grep=Drover-Run: ${run}`, `--grep=Drover-Step: ${step}`]
  const result = await clone.git(['log', ...grep, format, tip, '--'])
  if (result.code !== 0) throw toFailure('search the history of the fleet repository', result, redact).error
  // The search is for text anywhere in the message, and a run's name may begin as another's does.
  const lines = result.stdout.split('\n').map((line) => line.split('\0'))
  return lines.find(([, foundRun, foundStep]) => foundRun === run && foundStep === step)?.[0]
}

/** False when the newest commit is older than the time asked for: a server answers that with an error. */
async function isDeeperWorthwhile(clone: Clone, tip: string, start: number): Promise<boolean> {
  const result = await clone.git(['log', '-1', '--format=%ct', tip, '--'])
  return Number(result.stdout) >= start
}
