import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { History } from './history.ts'
import type { Listener } from './listener.ts'

export interface Sources {
  listener: Pick<Listener, 'of'>
  history: Pick<History, 'of'>
  logs: string
  /** The folder that stories are written into. */
  folder: string
}

/** Writes down all that is known of some runs, in the order in which it came about; answers the file. */
export function tell(runs: readonly string[], { listener, history, logs, folder }: Sources): string {
  mkdirSync(folder, { recursive: true })
  const file = join(folder, `${runs[0] ?? 'none'}.txt`)
  const events = runs.flatMap((run) => listener.of(run))
  const said = events.map(({ at, type, id, message, failure }) => ({
    at,
    line: `event   ${type}  ${id}  ${message ?? ''}${failure === undefined ? '' : `  [${failure}]`}`,
  }))
  const lines = [...said, ...logLines(runs, logs)].sort((one, other) => one.at - other.at)
  const commits = runs.flatMap((run) => history.of(run)).map(({ id, run, step }) => `${id}  ${run}  ${step}`)
  const text = [
    ...lines.map(({ at, line }) => `${new Date(at).toISOString()}  ${line}`),
    '',
    'Commits, in their order:',
    ...commits,
  ]
  writeFileSync(file, `${text.join('\n')}\n`)
  return file
}

/** What any part has said of the runs. */
function logLines(runs: readonly string[], logs: string): { at: number; line: string }[] {
  return readdirSync(logs).flatMap((file) =>
    readFileSync(join(logs, file), 'utf8')
      .split('\n')
      .filter((line) => runs.some((run) => line.includes(run)))
      .map((line) => ({ at: timeOf(line), line: `${file.padEnd(14)} ${line}` })),
  )
}

/** Functions say when as JSON, the other parts begin with it. */
function timeOf(line: string): number {
  const [, number, text] = /"time":(?:(\d{13})|"([^"]+)")/.exec(line) ?? []
  if (number !== undefined) return Number(number)
  const at = Date.parse(text ?? line.split(' ')[0] ?? '')
  return Number.isNaN(at) ? 0 : at
}
