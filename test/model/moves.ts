import type { Event } from '../../shared/event.ts'
import { taskFor } from '../../shared/event-types.ts'
import type { RunData } from '../../shared/run.ts'
import { type Mood, moods } from './cluster.ts'
import { type Came, type Delivery, deliver, endIn, factOf, type Lens, timeAt } from './deliver.ts'
import type { Commit } from './repository.ts'
import { Known, runOf, type State } from './state.ts'

/** One step of the whole, with what it did, for people. */
export interface Move {
  /** Said only when it is asked for: most moves lead nowhere new. */
  says(): string
  to: State
  commits: readonly Commit[]
  trouble: string | undefined
}

export interface Machinery {
  lens?: Lens
  /** False where no tick comes. */
  ticks?: boolean
  /** How a run is called, by its id. */
  nameOf(run: string): string
}

/** What can happen next, in any state; a delivery that was made before from the same is not made again. */
export class Moves {
  readonly known = new Known()
  readonly #machinery: Machinery
  readonly #came = new Map<string, Came>()

  constructor(machinery: Machinery) {
    this.#machinery = machinery
  }

  /** How many deliveries the real functions have answered. */
  get deliveries(): number {
    return this.#came.size
  }

  async from(state: State): Promise<Move[]> {
    const moves: Move[] = []
    for (const event of state.pending) {
      for (const mood of moods) {
        const came = await this.#deliver(state, { event, mood })
        moves.push(...this.#delivered(state, event, mood, came))
        if (state.faults > 0) moves.push(...(await this.#failing(state, event, mood, came)))
        if (!came.wasAsked) break
      }
      if (state.faults > 0) moves.push(this.#lost(state, event), await this.#buried(state, event))
    }
    moves.push(...(await this.#ticks(state)))
    return moves
  }

  /** An event is delivered, and its function answers. */
  async delivery(state: State, event: number, mood: Mood): Promise<Move | undefined> {
    const came = await this.#deliver(state, { event, mood })
    return this.#delivered(state, event, mood, came)[0]
  }

  /** An hour passes: what is pending comes late then, and where nothing is, nobody notices. */
  later(state: State): Move {
    const hour = state.hour + 1
    const repository = this.known.numberOfRepository(this.known.repository(state.repository), hour)
    return { says: () => 'An hour passes', to: { ...state, hour, repository }, commits: [], trouble: undefined }
  }

  async tick(state: State): Promise<Move | undefined> {
    if (this.#machinery.ticks === false || !this.#isQuiet(state)) return undefined
    const came = await this.#deliver(state, { mood: 'follows' })
    if (came.commits.length === 0) return undefined
    return this.#move(state, 'A tick comes', came, state.pending)
  }

  /** True when a run was not heard of in this hour: a tick would find no other. */
  #isQuiet({ repository, hour }: State): boolean {
    const now = `at: "${timeAt(hour).toISOString()}"`
    const { files } = this.known.repository(repository)
    return [...files].some(([path, text]) => path.startsWith('runs/') && !text.includes(now))
  }

  async #ticks(state: State): Promise<Move[]> {
    const move = await this.tick(state)
    if (!move) return []
    if (state.faults === 0) return [move]
    const crashes: Move[] = []
    for (const [index] of move.commits.entries()) {
      const came = await this.#deliver(state, { mood: 'follows', crashAfter: index + 1 })
      const says = `A tick comes, and recover dies after commit ${index + 1}`
      crashes.push(this.#move(worse(state), says, came, state.pending))
    }
    return [move, ...crashes]
  }

  #delivered(state: State, event: number, mood: Mood, came: Came): Move[] {
    const rest = came.isAgain ? state.pending : without(state.pending, event)
    const move = this.#move(state, `${this.#nameOf(event)} is delivered${told(mood, came)}`, came, rest)
    return came.isAgain && came.commits.length === 0 && !came.trouble ? [] : [move]
  }

  /** The same delivery, when it comes twice, or when its function dies on the way. */
  async #failing(state: State, event: number, mood: Mood, came: Came): Promise<Move[]> {
    const name = this.#nameOf(event)
    const isTwice = !came.isAgain && (came.commits.length > 0 || came.sent.length > 0)
    const twice = isTwice
      ? [this.#move(worse(state), `${name} is delivered${told(mood, came)}, and will come again`, came, state.pending)]
      : []
    const crashes: Move[] = []
    for (const [index] of came.commits.entries()) {
      const crashed = await this.#deliver(state, { event, mood, crashAfter: index + 1 })
      const says = `${name} is delivered${told(mood, came)}, and its function dies after commit ${index + 1}`
      crashes.push(this.#move(worse(state), says, crashed, state.pending))
    }
    return [...twice, ...crashes]
  }

  #lost(state: State, event: number): Move {
    const to = { ...worse(state), pending: without(state.pending, event) }
    return { says: () => `${this.#nameOf(event)} is lost`, to, commits: [], trouble: undefined }
  }

  async #buried(state: State, event: number): Promise<Move> {
    const came = await this.#deliver(state, { event, mood: 'follows', dead: true })
    const says = `The Broker gives up on ${this.#nameOf(event)}, and makes it a dead letter`
    return this.#move(worse(state), says, came, without(state.pending, event))
  }

  #move(state: State, says: string, { repository, commits, sent, trouble }: Came, rest: readonly number[]): Move {
    const known = this.known.numberOfRepository(repository, state.hour)
    // Feedback changes nothing, so nobody waits for it here.
    const waking = sent.filter((one) => endIn(one) === undefined && taskFor(one.type) !== undefined)
    const pending = [...new Set([...rest, ...waking.map(this.known.numberOfEvent)])].sort(byNumber)
    const ends = sent.flatMap((one) => (isEnd(one) ? [`${runOf(one)} ${endIn(one)}`] : []))
    const ended = [...new Set([...state.ended, ...ends])].sort()
    const to = { ...state, repository: known, pending, ended }
    return { says: () => this.#sentence(says, commits, sent), to, commits, trouble }
  }

  #sentence(says: string, commits: readonly Commit[], sent: readonly Event[]): string {
    const what = [
      ...commits.map(({ subject }) => `pushed "${subject}"`),
      ...sent.map((one) => `said ${factOf(one)}: ${(one.data as { message: string }).message}`),
    ]
    return this.#named(what.length === 0 ? says : `${says}: ${what.join('; ')}`)
  }

  #nameOf(event: number): string {
    const one = this.known.event(event)
    return `${factOf(one)} of ${this.#machinery.nameOf(runOf(one))}`
  }

  #named = (text: string) => text.replace(/\b[0-9a-f]{20}\b/g, (run) => this.#machinery.nameOf(run))

  async #deliver(
    { repository, hour }: State,
    { event, mood, dead = false, crashAfter }: Pick<Delivery, 'mood'> & Given,
  ): Promise<Came> {
    const key = [repository, hour, event, mood, dead, crashAfter].join('|')
    const before = this.#came.get(key)
    if (before) return before
    const given = {
      ...{ repository: this.known.repository(repository), hour, mood, dead },
      event: event === undefined ? undefined : this.known.event(event),
      ...(crashAfter !== undefined && { crashAfter }),
    }
    const came = await deliver(given, this.#machinery.lens)
    this.#came.set(key, came)
    return came
  }
}

interface Given {
  event?: number
  dead?: boolean
  crashAfter?: number
}

/** That a request was refused is the answer to one delivery of it; another one may have been granted. */
const isEnd = (event: Event) => endIn(event) !== undefined && (event.data as RunData).failure?.task !== 'validate'
const worse = (state: State): State => ({ ...state, faults: state.faults - 1 })
const without = (pending: readonly number[], event: number) => pending.filter((one) => one !== event)
const byNumber = (one: number, other: number) => one - other
const told = (mood: Mood, { wasAsked }: Came) => (wasAsked ? ` while the cluster ${mood}` : '')
