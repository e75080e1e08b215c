import { randomUUID } from 'node:crypto'
import type { World } from '../local/world.ts'
import { terminals } from '../shared/lifecycles.ts'
import { runId } from '../shared/run.ts'

/** A provision that was posted, and when its facts came to the Broker. */
export interface Posted {
  /** When that was, as `performance.now()` has it. */
  began: number
  /** Milliseconds from before the POST until the Broker took the first event of this fact; fails when the run ends without it. */
  until(fact: string): Promise<number>
}

/** Posts a request for a machine. */
export async function post(world: Pick<World, 'broker' | 'feed'>, name: string, cluster: string): Promise<Posted> {
  const [source, id, type] = ['/bench', randomUUID(), 'dev.drover.provision.requested']
  const run = runId(source, id)
  const owner = { kind: 'Group', name: 'team-shop' }
  const data = { template: 'linux-small', namespace: 'shop', owner, name, placement: { cluster } }
  const event = { specversion: '1.0', id, source, type, time: new Date().toISOString(), data }
  const headers = { 'content-type': 'application/cloudevents+json' }
  const began = performance.now()
  const answer = await fetch(world.broker, { method: 'POST', headers, body: JSON.stringify(event) })
  if (!answer.ok) throw new Error(`Cannot post a request: the Broker answered ${answer.status}`)
  const isOver = (seen: string) => terminals.some((fact) => seen.endsWith(`.${fact}`))
  return {
    began,
    async until(fact) {
      const wanted = `dev.drover.provision.${fact}`
      const first = await world.feed.first((seen) => seen.run === run && (seen.type === wanted || isOver(seen.type)))
      if (first.type !== wanted) throw new Error(`Cannot go on: run ${run} ended in ${first.type} without ${fact}`)
      return first.at - began
    },
  }
}
