import { DroverError } from '../errors.ts'
import type { Event } from '../event.ts'
import { eventTypes, taskFor } from '../event-types.ts'
import type { FunctionName } from '../lifecycles.ts'
import type { Log } from '../log.ts'
import { isLoop, type Limits, toRun, type Work } from '../run.ts'
import { isSigned, type SigningKey } from '../signature.ts'
import type { Outcome, Run, Step, Swept } from '../step.ts'

/** What a function's index.ts wires. */
export interface Wired {
  step: Step
  /** Posts an event to the Broker, of a function that does more than answer; without it, progress is only logged. */
  post?: ((event: Event) => Promise<void>) | undefined
  /** Looks for runs that stand still. */
  sweep?: (now: Date) => Promise<Swept>
  /** Notes in Git that a run is left to a person, before an event says so; answers what it has come to where that is not so. */
  strand?: (run: Run, message: string, now: Date) => Promise<Outcome | undefined>
  close?: () => Promise<void>
}

export type Answer =
  | { status: 200; event: Event }
  | { status: 204 }
  | { status: 400 | 403 | 500 | 503; message: string }

export interface ShellOptions {
  /** The function that is served; undefined: any, by event type. */
  name: FunctionName | undefined
  wired: (name: FunctionName) => Promise<Wired>
  /** The keys as they are now: the first one signs, all of them verify. */
  keys: () => readonly SigningKey[]
  limits: Limits
  patienceMilliseconds: number
  /** Aborted when the instance is to end: nobody waits any longer. */
  closing?: AbortSignal
  now: () => Date
  log: Log
}

/** One event as it came, `dead` when the Broker had given up on it. */
export interface Delivery {
  event: Event
  dead: boolean
}

/** What is to be done for an event, once it is believed. */
export function toWork(event: Event, options: ShellOptions): Work {
  const found = taskFor(event.type)
  if (!found) {
    const why = eventTypes().some(({ type }) => type === event.type) ? 'nothing follows from it' : 'no lifecycle has it'
    throw new DroverError('unreadable', `Cannot handle an event of type ${quoted(event.type)}: ${why}`)
  }
  const { lifecycle, fact, task } = found
  if (options.name !== undefined && options.name !== task.by) {
    throw new DroverError(
      'unreadable',
      `Cannot handle an event of type ${quoted(event.type)} in "${options.name}": it is for "${task.by}"`,
    )
  }
  if (isLoop(event))
    throw new DroverError('unreadable', 'Cannot handle the event: its run has gone through too many hops')
  if (fact !== 'requested' && event.dataProblem !== undefined)
    throw new DroverError('unreadable', `Cannot read the event: ${event.dataProblem}`)
  if (fact !== 'requested' && !isSigned(event, options.keys())) {
    throw new DroverError(
      'forged',
      'Cannot believe the event: it is not signed by Drover, and only a "requested" event may come from outside',
    )
  }
  const run = toRun(event, fact, lifecycle, task, options.now(), options.limits)
  return { event, lifecycle, task, run, source: `/drover/${task.by}` }
}

/** What is wrong with a request before anybody looks at what it asks for. */
export function problemOf({ event, run }: Work): string | undefined {
  const claimed = event.extensions['runid']
  if (run.fact !== 'requested') return undefined
  if (event.dataProblem !== undefined) return `Cannot read the request: ${event.dataProblem}`
  if (claimed === undefined || claimed === run.id) return undefined
  return `Cannot take the request: its runid is ${quoted(claimed)}, but a run's id follows from the event's source and id and is "${run.id}" here; leave the attribute out`
}

const quoted = (text: string) => JSON.stringify(text.slice(0, 100))
