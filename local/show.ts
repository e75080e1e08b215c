import { createLogUpdate } from 'log-update'
import colors from 'picocolors'
import { taskFor } from '../shared/lifecycles.ts'
import type { Seen } from './feed.ts'

/** Draws runs as their events arrive: a line for each task with its state and time. */
export class Show {
  readonly #out: NodeJS.WriteStream
  readonly #live: ReturnType<typeof createLogUpdate> | undefined
  readonly #last = new Map<string, number>()
  #lastRun = ''

  constructor(out: NodeJS.WriteStream) {
    this.#out = out
    this.#live = out.isTTY ? createLogUpdate(out) : undefined
  }

  /** A sentence of our own. */
  say(text: string): void {
    this.#live?.clear()
    this.#out.write(`${text}\n`)
  }

  /** One event of a run. */
  draw({ type, run, at, data, subject }: Seen): void {
    if (run === undefined || data.status === undefined) return
    if (run !== this.#lastRun) this.say(colors.bold(`\n${data.eventTask} ${subject ?? ''} ${colors.dim(`run ${run}`)}`))
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

  /** The request itself: the clock of its run starts. */
  begin(run: string, at: number): void {
    this.#last.set(run, at)
  }

  #progress(title = '', message = ''): void {
    const line = `  ${colors.cyan('…')} ${title.padEnd(width)}          ${colors.dim(message)}`
    if (this.#live) this.#live(line)
    else this.#out.write(`${line}\n`)
  }
}

const width = 44

function lineOf(type: string, { eventSubTask = '', status, message = '' }: Seen['data'], took: number): string {
  const undone = type.endsWith('.rolledback')
  const mark = undone ? colors.yellow('↺') : status === 'success' ? colors.green('✔') : colors.red('✘')
  return `  ${mark} ${eventSubTask.padEnd(width)} ${`${took.toFixed(0)} ms`.padStart(8)}  ${status === 'success' ? colors.dim(message) : message}`
}
