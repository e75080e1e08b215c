import type { Server } from 'node:http'
import { start } from 'faas-js-runtime'
import type { RuntimeFunction } from './function.ts'
import { bodyLimit, guard } from './guard.ts'

/** Serves a function on faas-js-runtime with the guard in front of it. */
export async function startRuntime(module: RuntimeFunction, port: number): Promise<Server> {
  const server: Server = await start(
    module as unknown as Parameters<typeof start>[0],
    { port, logLevel: 'fatal', bodyLimit } as Parameters<typeof start>[1],
  )
  guard(server)
  return server
}
