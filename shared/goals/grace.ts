/** For how long an error was seen, in all: what may have passed while nobody could look does not count. */
export interface Trouble {
  seen(): void
  /** It could not be looked at. */
  unseen(): void
  /** It is no more: should it come back, it counts anew. */
  gone(): void
  /** How many milliseconds it must still be seen until it has lasted; 0 where it has. */
  left(): number
  hasLasted(): boolean
}

export function openTrouble(graceMilliseconds: number, now: () => Date): Trouble {
  let seenFor = 0
  /** When it was seen last; undefined once it could not be looked at. */
  let last: number | undefined
  const sinceLast = () => (last === undefined ? 0 : now().getTime() - last)
  const left = () => Math.max(0, graceMilliseconds - seenFor - sinceLast())
  return {
    seen() {
      seenFor += sinceLast()
      last = now().getTime()
    },
    unseen() {
      last = undefined
    },
    gone() {
      seenFor = 0
      last = undefined
    },
    left,
    hasLasted: () => last !== undefined && left() === 0,
  }
}
