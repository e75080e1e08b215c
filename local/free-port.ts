import { once } from 'node:events'
import { createServer, type Server } from 'node:net'

/** Below what systems give out by themselves: what is free there is not taken by somebody's connection a moment later. */
const lowest = 20_000
const highest = 32_000

/** Ports come in rows of so many. Who listens on the first of a row has the others to give out, as long as its process lives. */
const row = 100

/** What this process has still to give out. */
let next = 0
let end = 0

/**
 * So many ports that nobody listens on, for who takes no port 0. No other process that asks here is given the same ones before
 * somebody listens on them, and none is given out twice.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = []
  while (ports.length < count) {
    if (next === end) await takeRow()
    const port = next++
    const server = await listen(port)
    if (!server) continue
    await once(server.close(), 'close')
    ports.push(port)
  }
  return ports
}

async function takeRow(): Promise<void> {
  const rows = (highest - lowest) / row
  const start = Math.floor(Math.random() * rows)
  for (let at = 0; at < rows; at++) {
    const first = lowest + ((start + at) % rows) * row
    const server = await listen(first)
    if (!server) continue
    server.unref()
    next = first + 1
    end = first + row
    return
  }
  throw new Error(`No ports are left: each of the ${rows} rows between ${lowest} and ${highest} is held by a process.`)
}

/** Undefined where somebody else listens. */
function listen(port: number): Promise<Server | undefined> {
  const server = createServer()
  return new Promise((done) => {
    server.once('error', () => done(undefined)).listen(port, () => done(server))
  })
}
