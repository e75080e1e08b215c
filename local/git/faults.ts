/** What may go wrong with the next pushes, in the order in which it is listed; without any, all goes well. */
export type PushFault =
  /** Answered with this status, and not applied. */
  | { kind: 'status'; status: number }
  /** Applied, and then the connection is cut before the answer. */
  | { kind: 'lostAnswer' }
  /** The connection is cut, and nothing applied. */
  | { kind: 'cut' }
  /** Neither applied nor answered, until the client gives up. */
  | { kind: 'hang' }
  /** Applied and answered, but so many milliseconds later. */
  | { kind: 'delay'; milliseconds: number }

/** The faults of one Git host; tests put them in, pushes take them out. */
export interface Faults {
  /** Lets the next push, or the next few, go wrong. */
  push(fault: PushFault, times?: number): void
  /** Answers everything with this status until it is set back to undefined. */
  outage: number | undefined
  /** Answers when the next of the faults has met its push. */
  taken(): Promise<void>
  /** Forgets what was put in. */
  clear(): void
}

/** Faults, and the way for the host to take the next one. */
export function makeFaults(): { faults: Faults; nextPush(): PushFault | undefined } {
  const pushes: PushFault[] = []
  const waiting: (() => void)[] = []
  const faults: Faults = {
    push: (fault, times = 1) => {
      for (let count = 0; count < times; count++) pushes.push(fault)
    },
    outage: undefined,
    taken: () => new Promise((resolve) => waiting.push(resolve)),
    clear: () => {
      pushes.length = 0
      faults.outage = undefined
    },
  }
  const nextPush = () => {
    const fault = pushes.shift()
    if (fault) for (const resolve of waiting.splice(0)) resolve()
    return fault
  }
  return { faults, nextPush }
}
