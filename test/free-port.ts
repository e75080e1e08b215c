import { once } from 'node:events'
import { createServer } from 'node:net'
import { listenAt } from '../local/listen.ts'

/** A port of 127.0.0.1 that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer()
  const port = await listenAt(server, 0)
  server.close()
  await once(server, 'close')
  return port
}
