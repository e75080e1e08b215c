import type { Event } from '../../shared/event.ts'
import { type RunData, runId } from '../../shared/run.ts'
import { timeAt } from './deliver.ts'
import type { Repository } from './repository.ts'

/** A moment of the whole: what is in Git, what the Broker has still to deliver, what has been told, what may yet go wrong. */
export interface State {
  repository: number
  /** Each event once: a second copy of one that is still pending is delivered as a duplicate. */
  pending: readonly number[]
  hour: number
  /** `<run> <how it ended>`, as the Broker was told. */
  ended: readonly string[]
  /** How many things may still go wrong. */
  faults: number
}

export const keyOf = ({ repository, pending, hour, ended, faults }: State): string =>
  `${repository}|${pending.join()}|${hour}|${ended.join()}|${faults}`

/** Gives each value a number, the same for all that no step can tell apart. */
class Interned<T> {
  readonly #numbers = new Map<string, number>()
  readonly #values: T[] = []

  numberOf(form: string, value: T): number {
    const known = this.#numbers.get(form)
    if (known !== undefined) return known
    this.#numbers.set(form, this.#values.length)
    return this.#values.push(value) - 1
  }

  value(number: number): T {
    return this.#values[number] as T
  }
}

/** All repositories and events that were met. */
export class Known {
  readonly #repositories = new Interned<Repository>()
  readonly #events = new Interned<Event>()

  repository = (number: number) => this.#repositories.value(number)
  event = (number: number) => this.#events.value(number)
  numberOfEvent = (event: Event) => this.#events.numberOf(formOfEvent(event), event)
  numberOfRepository = (repository: Repository, hour: number) =>
    this.#repositories.numberOf(formOfRepository(repository, hour), repository)
}

/** The run that an event belongs to. */
export const runOf = ({ type, source, id, extensions }: Event): string =>
  type.endsWith('.requested') ? runId(source, id) : (extensions['runid'] ?? '')

/** What is for people or for a trace decides nothing. */
function formOfEvent(event: Event): string {
  const { message: _, failure, ...rest } = event.data as RunData
  return JSON.stringify([event.type, runOf(event), event.extensions['hops'], failure?.task, rest])
}

function formOfRepository({ files, steps }: Repository, hour: number): string {
  const texts = [...files].map(
    ([path, text]) => `${path}\n${path.startsWith('runs/') ? formOfRecord(text, hour) : text}`,
  )
  return `${[...steps].sort().join()}\n${texts.sort().join('\n')}`
}

/**
 * Of when a run was heard of last only that matters: in this hour or before, for an hour is longer than any silence that
 * is waited for, until a run was made to go on three times.
 */
function formOfRecord(text: string, hour: number): string {
  const resumed = Number(/^resumed: (\d+)$/m.exec(text)?.[1] ?? 0)
  const now = timeAt(hour).toISOString()
  const plain = text.replace(/^( *message): .*$/gm, '$1')
  return resumed > 2 ? plain : plain.replace(/^at: "(.*)"$/m, (_, at) => (at === now ? 'now' : 'before'))
}
