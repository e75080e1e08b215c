import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { inTurn } from '../shared/clients/coalesce.ts'

/** Below what systems give out by themselves: what is free there is not taken by somebody's connection a moment later. */
const lowest = 20_000
const highest = 32_000

/** Ports come in rows of so many. Who listens on the first of a row has the others to give out, as long as its process lives. */
const row = 100

/** What this process has still to give out. */
let next = 0
let end = 0

/**
 * So many ports that nobody listens on, for who takes no port 0. None is given out twice, neither by this process nor, while it
 * lives, by another one that asks here: between the asking and the listening it is nobody else's.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = []
  while (ports.length < count) {
    const port = await nextPort()
    const server = await listen(port)
    if (!server) continue
    await once(server.close(), 'close')
    ports.push(port)
  }
  return ports
}

/** One after the other, for a row is enough for many who ask at once. */
const nextPort = inTurn(async () => {
  if (next === end) await takeRow()
  return next++
})

async function takeRow(): Promise<void> {
  const rows = (highest - lowest) / row
  const start = Math.floor(Math.random() * rows)
  for (let at = 0; at < rows; at++) {
    const first = lowest + ((start + at) % rows) * row
    const server = await listen(first, '127.0.0.1')
    if (!server) continue
    server.on('connection', (socket) => socket.destroy()).unref()
    next = first + 1
    end = first + row
    return
  }
  throw new Error(`Cannot find a free port: each of the ${rows} rows from ${lowest} to ${highest} is held by a process`)
}

/** Undefined where somebody else listens. */
function listen(port: number, host?: string): Promise<Server | undefined> {
  const server = createServer()
  return new Promise((done, fail) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? done(undefined) : fail(error),
    )
    server.listen(port, host, () => done(server))
  })
}
