import { environment, readConfig } from '../shared/config.ts'
import { messageOf } from '../shared/errors.ts'
import { createLog } from '../shared/log.ts'
import { serve } from '../shared/runtime/function.ts'
import { startRuntime } from '../shared/runtime/start.ts'
import { compiledMark } from './compiled.ts'
import { load } from './load.ts'

/** Serves the function that FUNCTION names, or any of them by event type. */
async function main() {
  const config = readConfig(environment())
  // The runtime would end the process with code 0, as if all were well.
  process.prependListener('uncaughtException', (error) => fail(error))
  process.on('unhandledRejection', (error) => fail(error))
  await startRuntime(serve(config.function, load, config), config.port, config.metricsPort)
  const compiled = performance.getEntriesByName(compiledMark).length
  createLog(config.logLevel, config.function ?? 'any').debug({ compiled }, 'started')
}

function fail(error: unknown): never {
  process.stderr.write(`${messageOf(error)}\n`)
  process.exit(1)
}

main().catch(fail)
