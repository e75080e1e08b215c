/** How long each step takes on an unhurried cluster, in milliseconds; the option `delays` scales or replaces them. */
const unhurried = {
  bind: 400,
  schedule: 200,
  import: 2500,
  clone: 1500,
  retry: 700,
  pod: 1200,
  boot: 2500,
  agent: 2000,
  stop: 1800,
  restart: 10_000,
  job: 3000,
  grow: 800,
  snapshot: 1500,
  migrate: 1200,
  secret: 400,
  decision: 300,
  sync: 700,
  heal: 5000,
}
export type Step = keyof typeof unhurried

export interface Delays {
  /** 0: everything happens at once; 1: as above. */
  scale?: number
  steps?: Partial<Record<Step, number>>
}

/** Lets each step of an object take its time: a controller asks whether the time is over, and is woken when it is. */
export class Pace {
  readonly #delays: Delays
  readonly #since = new Map<string, number>()

  constructor(delays: Delays = {}) {
    this.#delays = delays
  }

  /** How many milliseconds a step takes. */
  of(step: Step): number {
    return this.#delays.steps?.[step] ?? this.scaled(unhurried[step])
  }

  scaled(milliseconds: number): number {
    return milliseconds * (this.#delays.scale ?? 1)
  }

  /** Whether a step of an object, begun when this was first asked, is over; otherwise `wake` is called when it is. */
  over(step: Step, object: { metadata: { uid: string } }, wake: (after: number) => void): boolean {
    const key = `${object.metadata.uid}/${step}`
    const begun = this.#since.get(key)
    // Even a step that takes no time lasts a turn, so that other controllers see the state before it.
    const left = begun === undefined ? this.of(step) : this.of(step) - (performance.now() - begun)
    if (begun !== undefined && left <= 0) return this.#since.delete(key)
    this.#since.set(key, begun ?? performance.now())
    wake(left)
    return false
  }
}
