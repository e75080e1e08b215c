import pino from 'pino'
import type { Event } from '../../shared/event.ts'
import { parseEventType, sweep } from '../../shared/event-types.ts'
import type { Tree } from '../../shared/fleet.ts'
import type { FunctionName } from '../../shared/lifecycles.ts'
import { isTerminal } from '../../shared/run.ts'
import { createShell } from '../../shared/shell/shell.ts'
import type { Answer } from '../../shared/shell/work.ts'
import { keys } from '../shared/events.ts'
import { clusterOf, type Mood } from './cluster.ts'
import { functionsOver } from './functions.ts'
import { type Commit, type Repository, sessionOn } from './repository.ts'

/** An hour is more than any silence of a run may last, and less than the time that it has. */
const start = Date.parse('2030-01-01T10:00:00.000Z')
export const timeAt = (hour: number) => new Date(start + hour * 60 * 60_000)

/** How long a run has, and its undo: over in the second hour after it began. */
export const minutes = 90

/** What a step gets to see where a rule is broken on purpose. */
export type Lens = (tree: Tree, by: FunctionName) => Tree

export interface Delivery {
  /** Undefined for a tick. */
  event: Event | undefined
  /** True when the Broker has given up on it. */
  dead: boolean
  repository: Repository
  hour: number
  mood: Mood
  /** The commit after whose push the function dies. */
  crashAfter?: number
}

/** What came of a delivery. */
export interface Came {
  repository: Repository
  commits: Commit[]
  /** The events that the Broker has now, and had not before. */
  sent: Event[]
  /** True when the Broker is to deliver it again. */
  isAgain: boolean
  /** True when the mood of the cluster made a difference. */
  wasAsked: boolean
  /** What no function may do: break, or refuse what another one has said. */
  trouble: string | undefined
}

/** One delivery of one event, by the real shell and the real steps. */
export async function deliver(given: Delivery, lens: Lens = (tree) => tree): Promise<Came> {
  const { event, dead, repository, hour, mood, crashAfter } = given
  // Whatever function it is, there is one process, and it dies once.
  let by: FunctionName = 'recover'
  const session = sessionOn(repository, {
    ...(crashAfter !== undefined && { crashAfter }),
    see: (tree) => lens(tree, by),
  })
  const cluster = clusterOf(session.now, mood)
  const sent: Event[] = []
  broken.length = 0
  const post = async (one: Event) => void sent.push(one)
  const connect = functionsOver(
    (name) => {
      by = name
      return session.fleet
    },
    cluster,
    post,
    minutes,
  )
  const shell = createShell({
    name: undefined,
    wired: connect,
    keys: () => keys,
    limits: { deadlineMinutes: minutes, undoMinutes: minutes },
    patienceMilliseconds: 60_000,
    now: () => timeAt(hour),
    log,
  })
  const answer = await shell({ event: event ?? tick, dead })
  const isCrash = commitsOf(session.commits, crashAfter)
  if ('event' in answer && !isCrash) sent.push(answer.event)
  return {
    repository: session.now(),
    commits: session.commits,
    // A process that has died answers nothing, and what it would have told comes with its next delivery.
    sent: isCrash ? [] : sent.filter(({ type }) => !type.endsWith('.progressing')),
    isAgain: isCrash || answer.status === 503 || answer.status === 500,
    wasAsked: cluster.wasAsked(),
    trouble: isCrash ? undefined : (broken[0] ?? refusedBy(answer)),
  }
}

const commitsOf = (commits: readonly Commit[], crashAfter: number | undefined) =>
  crashAfter !== undefined && commits.length >= crashAfter

/** What the functions have logged of errors in this delivery. */
const broken: string[] = []
const log = pino({ level: 'warn' }, { write: (line: string) => void broken.push(...brokenIn(line)) })

/** What a log line says of an error. */
function brokenIn(line: string): string[] {
  const { err, msg } = JSON.parse(line) as { err?: { stack?: string; message?: string }; msg?: string }
  return err === undefined ? [] : [`${msg}: ${err.stack ?? err.message}`]
}

const refusedBy = (answer: Answer) =>
  answer.status === 400 || answer.status === 403 ? `${answer.status}: ${answer.message}` : undefined

const tick: Event = { id: 'tick', source: '/timer', type: sweep.type, extensions: {}, data: {} }

/** The fact that an event says, such as `stop.committed`. */
export const factOf = ({ type }: Event): string => parseEventType(type)?.fact ?? type

/** How a run ended, where an event says so. */
export const endIn = (event: Event): string | undefined => (isTerminal(factOf(event)) ? factOf(event) : undefined)
