import { setTimeout as sleep } from 'node:timers/promises'
import { eventType, terminalOf } from '../../shared/event-types.ts'
import type { Terminal } from '../../shared/lifecycles.ts'
import { endOfUndo } from '../../shared/standing.ts'
import type { History } from './history.ts'
import type { Listener } from './listener.ts'
import { type Asked, source } from './wanted.ts'

/** A request and how its run ended: `missing` where nothing more was heard of it. */
export interface Ended {
  asked: Asked
  /** What was posted in the end. */
  data: object
  terminal: Terminal | 'missing'
  /** False where only Git tells: the Broker has lost the very event that says so. */
  isHeard: boolean
  /** How often it was posted again, because nothing had come of it. */
  reposts: number
  milliseconds: number
}

interface Surroundings {
  broker: string
  listener: Listener
  history: History
  /** How long nothing may be heard until one looks into Git, and posts again what has left no trace. */
  silence: number
  /** How long nothing may be heard and nothing be committed until it is missing. */
  patience: number
}

/** Asks as a requester does: posts until it is taken, waits for the end, and posts again what was lost before it left a trace. */
export async function request(asked: Asked, data: object, around: Surroundings): Promise<Ended> {
  const { broker } = around
  const begun = performance.now()
  const event = JSON.stringify({
    ...{ specversion: '1.0', id: asked.id, source, type: eventType(asked.lifecycle, 'requested') },
    ...{ time: new Date().toISOString(), datacontenttype: 'application/json', data },
  })
  await Promise.all([post(broker, event), ...(asked.again === 'at once' ? [post(broker, event)] : [])])
  const end = await follow(asked.run, event, around)
  if (asked.again === 'later') await post(broker, event)
  return { asked, data, ...end, milliseconds: performance.now() - begun }
}

/** Posts an event until the Broker has taken it. */
export async function post(broker: string, event: string): Promise<void> {
  const headers = { 'content-type': 'application/cloudevents+json' }
  for (;;) {
    const isTaken = await fetch(broker, {
      ...{ method: 'POST', headers, body: event },
      signal: AbortSignal.timeout(5_000),
    }).then(
      async (answer) => {
        await answer.body?.cancel()
        return answer.ok
      },
      () => false,
    )
    if (isTaken) return
    await sleep(200)
  }
}

async function follow(
  run: string,
  event: string,
  { broker, listener, history, silence, patience }: Surroundings,
): Promise<Pick<Ended, 'terminal' | 'isHeard' | 'reposts'>> {
  let reposts = 0
  let isOver = false
  let heard = 0
  let committed = 0
  for (let last = performance.now(); ; ) {
    const end = listener
      .of(run)
      .map(({ type }) => terminalOf(type))
      .find(Boolean)
    if (end) return { terminal: end, isHeard: true, reposts }
    await listener.next(run, silence)
    if (listener.of(run).length > heard) {
      heard = listener.of(run).length
      last = performance.now()
      continue
    }
    await history.refresh()
    const commits = history.of(run)
    const inGit = terminalIn(commits.map(({ step }) => step))
    // The event may be on its way still.
    if (inGit && isOver) return { terminal: inGit, isHeard: false, reposts }
    isOver = inGit !== undefined
    if (commits.length > committed) {
      committed = commits.length
      last = performance.now()
    } else if (performance.now() - last > patience) return { terminal: 'missing', isHeard: false, reposts }
    if (commits.length > 0) continue
    reposts += 1
    await post(broker, event)
  }
}

/** How a run has ended, as its commits tell. */
export function terminalIn(steps: readonly string[]): Terminal | undefined {
  if (steps.includes('complete')) return 'completed'
  if (isUndone(steps)) return 'rolledback'
  return steps.includes('strand') ? 'stranded' : undefined
}

export const isUndone = (steps: readonly string[]): boolean => steps.includes(endOfUndo)
