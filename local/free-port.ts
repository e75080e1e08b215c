import { once } from 'node:events'
import { createServer, type Server } from 'node:net'

/** Below what systems give out by themselves: what is free there is not taken by somebody's connection a moment later. */
const lowest = 20_000
const highest = 32_000

/** So many ports that nobody listens on, for who takes no port 0. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, hold))
  await Promise.all(servers.map(({ server }) => once(server.close(), 'close')))
  return servers.map(({ port }) => port)
}

/** Holds one, so that no other gets it meanwhile. */
async function hold(): Promise<{ server: Server; port: number }> {
  for (;;) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest))
    const server = createServer()
    const isHeld = await new Promise<boolean>((done) => {
      server.once('error', () => done(false)).listen(port, () => done(true))
    })
    if (isHeld) return { server, port }
  }
}
