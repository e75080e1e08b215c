import type { Server } from 'node:http'
import * as runtime from 'faas-js-runtime'
import type { RuntimeFunction } from './function.ts'
import { bodyLimit, guard } from './guard.ts'

/** What the runtime really takes: its types know neither modules nor the options of its command line. */
interface Runtime {
  start(module: RuntimeFunction, options: { port: number; logLevel: string; bodyLimit: number }): Promise<Server>
}

/** Serves a function on faas-js-runtime with the guard in front of it. */
export async function startRuntime(module: RuntimeFunction, port: number): Promise<Server> {
  // The package is CommonJS: unbuilt, Node offers it as the default export alone.
  const { start } = (runtime as unknown as { default: Runtime }).default
  const server = await start(module, { port, logLevel: 'fatal', bodyLimit })
  guard(server)
  return server
}
