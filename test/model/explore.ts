import { type Machinery, type Move, Moves } from './moves.ts'
import type { Commit } from './repository.ts'
import { type Broken, brokenBy, brokenIn, recordOf } from './rules.ts'
import type { Scenario } from './scenarios.ts'
import { keyOf, runOf, type State } from './state.ts'

export interface Bounds {
  /** How many things go wrong: an event is lost, late, comes twice, becomes a dead letter, or its function dies. */
  faults: number
  /** How many hours pass at most, late events or not. */
  hours: number
}

export interface Explored {
  states: number
  moves: number
  /** Deliveries that the real functions have answered. */
  deliveries: number
  /** How the runs ended, over all states: `<name> <how it ended>`. */
  ends: Set<string>
  /** The shortest way to a state in which a rule is broken: a sentence for each move, and the rule. */
  counterexample: string[] | undefined
}

/** Every state that can be reached, breadth first, so that what is found is found in the fewest moves. */
export async function explore(
  { repository, requests }: Scenario,
  bounds: Bounds,
  machinery: Omit<Machinery, 'nameOf'> = {},
): Promise<Explored> {
  const names = new Map(requests.map((event, at) => [runOf(event), `run ${'AB'[at]}`]))
  const moves = new Moves({ ...machinery, nameOf: (run) => names.get(run) ?? run })
  const first: State = {
    repository: moves.known.numberOfRepository(repository, 0),
    pending: requests.map(moves.known.numberOfEvent).sort((one, other) => one - other),
    hour: 0,
    ended: [],
    faults: bounds.faults,
  }
  const search = new Search(moves, [...names.keys()], first)
  const found = await search.all(bounds.hours)
  const named = (text: string) => text.replace(/\b[0-9a-f]{20}\b/g, (run) => names.get(run) ?? run)
  return {
    states: search.ways.size,
    moves: search.moved,
    deliveries: moves.deliveries,
    ends: new Set([...search.ends].map(named)),
    counterexample: found?.map(named),
  }
}

/** How a state was reached first. */
interface Way {
  before: string
  move: Move
}

class Search {
  readonly ways = new Map<string, Way | undefined>()
  readonly ends = new Set<string>()
  moved = 0
  readonly #moves: Moves
  readonly #runs: readonly string[]
  #states: State[]
  /** States from which there is a way to an end. */
  readonly #ending = new Set<string>()
  readonly #judged = new Map<string, Broken>()
  readonly #judgedCommits = new WeakMap<readonly Commit[], Broken>()

  constructor(moves: Moves, runs: readonly string[], first: State) {
    this.#moves = moves
    this.#runs = runs
    this.#states = [first]
    this.ways.set(keyOf(first), undefined)
  }

  async all(hours: number): Promise<string[] | undefined> {
    while (this.#states.length > 0) {
      const states = this.#states
      this.#states = []
      for (const state of states) {
        const found = (await this.#endless(state)) ?? (await this.#from(state, hours))
        if (found) return [...this.#wayTo(keyOf(state)), ...found]
      }
    }
    return undefined
  }

  /** Goes each way from a state; answers the move that breaks a rule. */
  async #from(state: State, hours: number): Promise<string[] | undefined> {
    const moves = await this.#moves.from(state)
    const isLate = state.pending.length > 0
    if (state.hour < hours && (!isLate || state.faults > 0)) moves.push(this.#later(state, isLate))
    for (const move of moves) {
      this.moved += 1
      const broken = this.#brokenBy(move)
      if (broken !== undefined) return [move.says(), broken]
      const key = keyOf(move.to)
      if (this.ways.has(key)) continue
      this.ways.set(key, { before: keyOf(state), move })
      for (const end of move.to.ended) this.ends.add(end)
      this.#states.push(move.to)
    }
    return undefined
  }

  #later(state: State, isLate: boolean): Move {
    return this.#moves.later(isLate ? { ...state, faults: state.faults - 1 } : state)
  }

  #brokenBy({ trouble, commits, to }: Move): Broken {
    if (trouble !== undefined) return `Broken: a function breaks, or refuses what another one has said (${trouble})`
    if (!this.#judgedCommits.has(commits))
      this.#judgedCommits.set(
        commits,
        commits.map(brokenBy).find((one) => one !== undefined),
      )
    return this.#judgedCommits.get(commits) ?? this.#brokenIn(to)
  }

  #brokenIn({ repository, ended }: State): Broken {
    const key = `${repository}|${ended.join()}`
    if (!this.#judged.has(key)) {
      const seen = { repository: this.#moves.known.repository(repository), ended, runs: this.#runs }
      this.#judged.set(key, brokenIn(seen))
    }
    return this.#judged.get(key)
  }

  #wayTo(key: string): string[] {
    const way = this.ways.get(key)
    return way ? [...this.#wayTo(way.before), way.move.says()] : []
  }

  /**
   * The moves from a state that has no end: not even when nothing goes wrong any more, the cluster follows, and a tick comes
   * every hour. Undefined where each run ends; so it does then from all that was met on the way.
   */
  async #endless(state: State): Promise<string[] | undefined> {
    const met: string[] = []
    const went: Move[] = []
    for (let now = state; now.hour < state.hour + mostHours; ) {
      const key = keyOf({ ...now, faults: 0 })
      met.push(key)
      if (this.#ending.has(key) || this.#isOver(now)) {
        for (const one of met) this.#ending.add(one)
        return undefined
      }
      const move = await this.#fairMove(now)
      went.push(move)
      now = move.to
    }
    const says = went.slice(0, 20).map((move) => move.says())
    return [...says, 'Broken: from each state there is a way to an end of each run']
  }

  /** What is pending is delivered; where that leads nowhere an hour passes, and a tick comes at its beginning. */
  async #fairMove(state: State): Promise<Move> {
    for (const event of state.pending) {
      const move = await this.#moves.delivery(state, event, 'follows')
      if (move && keyOf(move.to) !== keyOf(state)) return move
    }
    return (await this.#moves.tick(state)) ?? this.#moves.later(state)
  }

  /** Nothing is on its way, and no run is in flight but those that are left to a person. */
  #isOver({ repository, pending }: State): boolean {
    const isLeft = (run: string) =>
      ['stranded', undefined].includes(recordOf(this.#moves.known.repository(repository), run)?.state)
    return pending.length === 0 && this.#runs.every(isLeft)
  }
}

/** Longer than any run and its undo take, however often they are to go on. */
const mostHours = 40
