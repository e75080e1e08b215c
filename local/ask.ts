import { randomUUID } from 'node:crypto'
import { terminals } from '../shared/lifecycles.ts'
import { runId } from '../shared/run.ts'
import type { Seen } from './feed.ts'
import type { RequestFile } from './request.ts'
import type { World } from './world.ts'

/** Posts a request under a fresh id, and resolves with the event that ended its run, once the requester was told. */
export async function ask({ broker, feed }: Pick<World, 'broker' | 'feed'>, request: RequestFile): Promise<Seen> {
  const event = { ...request, id: randomUUID(), time: new Date().toISOString() }
  const run = runId(event.source, event.id)
  const headers = { 'content-type': 'application/cloudevents+json' }
  const answer = await fetch(broker, { method: 'POST', headers, body: JSON.stringify(event) })
  if (!answer.ok) throw new Error(`Cannot post the request: the Broker answered ${answer.status}`)
  const isOf = (seen: Seen, ...facts: string[]) =>
    seen.run === run && facts.some((fact) => seen.type.endsWith(`.${fact}`))
  const ended = await feed.first((seen) => isOf(seen, ...terminals))
  await feed.first((seen) => isOf(seen, 'notified', 'notify.failed'))
  return ended
}

export const isComplete = ({ type }: Seen): boolean => type.endsWith('.completed')
