import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Seen } from '../local/feed.ts'
import { startWorld, type World } from '../local/world.ts'
import { runId } from '../shared/run.ts'

/**
 * Writes `test/events/` anew: one event of each type, as the Broker took them in a run that completes and in one whose
 * machine finds no node. Signatures and what the Broker notes are left out: they mean nothing outside their run.
 */

const root = new URL('..', import.meta.url).pathname
const request = JSON.parse(readFileSync(join(root, 'examples/provision.json'), 'utf8'))

async function runOnce(world: World, id: string): Promise<Seen[]> {
  const event = { ...request, id, time: new Date().toISOString() }
  const headers = { 'content-type': 'application/cloudevents+json' }
  await fetch(world.broker, { method: 'POST', headers, body: JSON.stringify(event) })
  const run = runId(event.source, id)
  await world.feed.first((seen) => seen.run === run && seen.type.endsWith('.notified'))
  return world.feed.seen.filter((seen) => seen.run === run || seen.id === id)
}

function save(events: Seen[], kept: (type: string) => boolean): void {
  for (const { type, json } of events) {
    if (!kept(type)) continue
    const { signature: _, knativearrivaltime: __, knativebrokerttl: ___, ...event } = JSON.parse(json)
    const name = type.replace(/^dev\.drover\./, '')
    writeFileSync(join(root, 'test/events', `${name}.json`), `${JSON.stringify(event, null, 2)}\n`)
  }
}

async function inWorld(id: string, prepare: (world: World) => void): Promise<Seen[]> {
  const directory = mkdtempSync(join(tmpdir(), 'drover-events-'))
  const world = await startWorld({
    directory,
    delays: 0.02,
    settings: { DROVER_GRACE_SECONDS: '1', DROVER_LOG_LEVEL: 'fatal' },
  })
  try {
    prepare(world)
    return await runOnce(world, id)
  } finally {
    await world.close()
    rmSync(directory, { recursive: true })
  }
}

save(await inWorld('provision-web-1', () => undefined), () => true)
const failing = await inWorld('provision-web-2', ({ clusters }) =>
  clusters.faults.add({ fault: 'unschedulable', kind: 'VirtualMachine' }),
)
save(failing, (type) => /\.(failed|rolledback|stranded)$|undo\./.test(type))
process.exit(0)
