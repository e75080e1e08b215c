import { randomUUID } from 'node:crypto'
import type { Feed, Seen } from '../local/feed.ts'
import type { World } from '../local/world.ts'
import { terminalOf } from '../shared/event-types.ts'
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
  // From before the request: what the feed remembers is less than what a thousand runs say.
  const heard = hear(world.feed, run)
  const began = performance.now()
  const answer = await fetch(world.broker, { method: 'POST', headers, body: JSON.stringify(event) })
  if (!answer.ok) throw new Error(`Cannot post a request: the Broker answered ${answer.status}`)
  return {
    began,
    async until(fact) {
      const wanted = `dev.drover.provision.${fact}`
      const first = await heard((seen) => seen === wanted || terminalOf(seen) !== undefined)
      if (first.type !== wanted)
        throw new Error(`Cannot go on: run ${run} ended in ${first.type} without ${fact}: ${first.data.message}`)
      return first.at - began
    },
  }
}

/** Who listens to which run of a feed: a thousand listeners of their own would all be called for each event of each run. */
const rooms = new WeakMap<Feed, Map<string, (seen: Seen) => void>>()

function roomOf(feed: Feed): Map<string, (seen: Seen) => void> {
  const found = rooms.get(feed)
  if (found) return found
  const room = new Map<string, (seen: Seen) => void>()
  rooms.set(feed, room)
  feed.listen((seen) => room.get(seen.run ?? '')?.(seen))
  return room
}

/** Listens to a run until it is over; what is answered waits for the first event of a type that fits. */
function hear(feed: Feed, run: string): (fits: (type: string) => boolean) => Promise<Seen> {
  const said: Seen[] = []
  const waiting = new Set<() => void>()
  const room = roomOf(feed)
  room.set(run, (seen) => {
    said.push(seen)
    for (const look of waiting) look()
    if (terminalOf(seen.type)) room.delete(run)
  })
  return (fits) =>
    new Promise((done) => {
      const look = () => {
        const found = said.find(({ type }) => fits(type))
        if (!found) return
        waiting.delete(look)
        done(found)
      }
      waiting.add(look)
      look()
    })
}
