import { createLogUpdate } from 'log-update'
import colors from 'picocolors'
import { sweep, taskFor } from '../shared/event-types.ts'
import { lifecycles } from '../shared/lifecycles.ts'
import { runId } from '../shared/run.ts'
import type { Seen } from './feed.ts'

/** Draws runs as their events arrive: a line for each task with its state and time. */
export class Show {
  readonly #out: NodeJS.WriteStream
  readonly #live: ReturnType<typeof createLogUpdate> | undefined
  readonly #last = new Map<string, number>()
  #lastRun = ''

  constructor(out: NodeJS.WriteStream) {
    this.#out = out
    this.#live = out.isTTY ? createLogUpdate(out, { showCursor: true }) : undefined
  }

  /** A sentence of our own. */
  say(text: string): void {
    this.#live?.clear()
    this.#out.write(`${text}\n`)
  }

  /** One event of a run. */
  draw(seen: Seen): void {
    const { type, run, at, data } = seen
    if (type === sweep.type) return
    // The request itself: the clock of its run starts.
    if (type.endsWith('.requested')) this.#last.set(runId(seen.source, seen.id), at)
    if (run === undefined || data.status === undefined) return
    if (run !== this.#lastRun) this.say(headOf(seen, run))
    this.#lastRun = run
    if (data.status === 'progress') {
      this.#progress(data.eventSubTask, data.message)
      return
    }
    const took = at - (this.#last.get(run) ?? at)
    this.#last.set(run, at)
    this.say(lineOf(type, data, took))
    const next = taskFor(type)
    if (next && this.#live) this.#live(`  ${colors.cyan('…')} ${next.task.title}`)
  }

  #progress(title = '', message = ''): void {
    const line = `  ${colors.cyan('…')} ${plain(title).padEnd(width)}           ${colors.dim(plain(message))}`
    if (this.#live) this.#live(line)
    else this.#out.write(`${line}\n`)
  }
}

const width = Math.max(...lifecycles.flatMap(({ tasks }) => tasks.map(({ title }) => title.length)))

/** Anybody may post an event: what it says must not move the cursor. */
const plain = (text: unknown) => String(text).replace(/\p{Cc}+/gu, ' ')

function headOf({ type, subject, data }: Seen, run: string): string {
  const words = [data.eventTask ?? type, ...(subject ? [subject] : [])]
  return colors.bold(`\n${plain(words.join(' '))} ${colors.dim(`run ${plain(run)}`)}`)
}

function lineOf(type: string, { eventSubTask, status, message }: Seen['data'], took: number): string {
  const undone = type.endsWith('.rolledback')
  const mark = undone ? colors.yellow('↺') : status === 'success' ? colors.green('✔') : colors.red('✘')
  const [title, text] = [plain(eventSubTask ?? type), plain(message ?? '')]
  return `  ${mark} ${title.padEnd(width)} ${`${took.toFixed(0)} ms`.padStart(8)}  ${status === 'success' ? colors.dim(text) : text}`
}
