import type { Server } from 'node:http'
import * as runtime from 'faas-js-runtime'
import type { RuntimeFunction } from './function.ts'
import { bodyLimit, type Door, guard } from './guard.ts'
import { serveMetrics } from './metrics-page.ts'

/** What the runtime really takes: its types know neither modules nor the options of its command line. */
interface Runtime {
  start(module: RuntimeFunction, options: { port: number; logLevel: string; bodyLimit: number }): Promise<Server>
}

/**
 * Serves a function on faas-js-runtime with the guard in front of it, and its metrics on another port too where one is given.
 * The runtime ends the process as soon as the function has shut down, with answers still on their way out: so it is told that
 * only when they are.
 */
export async function startRuntime(module: RuntimeFunction, port: number, metricsPort?: number): Promise<Server> {
  // The package is CommonJS: unbuilt, Node offers it as the default export alone.
  const { start } = (runtime as unknown as { default: Runtime }).default
  let door: Door | undefined
  const shutdown = async () => {
    door?.close()
    await module.shutdown()
    await door?.closed()
  }
  const server = await start({ ...module, shutdown }, { port, logLevel: 'fatal', bodyLimit })
  door = guard(server, module.refused)
  if (metricsPort !== undefined) {
    const metrics = await serveMetrics(door.metrics, metricsPort)
    server.once('close', () => metrics.close())
  }
  return server
}
