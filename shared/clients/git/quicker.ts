/** A quicker way that is left alone for a while once it has failed several times: there is always the one of git itself. */
export interface Quicker {
  /** False while it is left alone. */
  readonly isTried: boolean
  /** Says whether it went well this time. */
  went(well: boolean): void
}

/** After so many failures, one after the other, it is left alone for so many milliseconds. */
const MOST_FAILURES = 3
const REST = 600_000

/** It is tried at first, and again after each rest: a server that fails for a minute is not one that cannot. */
export function quicker(): Quicker {
  let failures = 0
  let restUntil = 0
  return {
    get isTried() {
      return performance.now() >= restUntil
    },
    went: (well) => {
      // What was under way when the rest began says nothing of what comes after it.
      if (performance.now() < restUntil) return
      failures = well ? 0 : failures + 1
      if (failures < MOST_FAILURES) return
      failures = 0
      restUntil = performance.now() + REST
    },
  }
}
