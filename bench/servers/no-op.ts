import * as runtime from 'faas-js-runtime'
import { environment } from '../../shared/config.ts'

/** A function that does nothing, as faas-js-runtime's own template has it: it takes a CloudEvent and answers with one. */

interface NoOp {
  id: string
  cloneWith(changes: object): unknown
}

const handle = async (_: unknown, event: NoOp) => event.cloneWith({ id: `${event.id}-done`, source: '/no-op' })

// The package is CommonJS: unbuilt, Node offers it as the default export alone.
const { start } = (runtime as unknown as { default: Runtime }).default

interface Runtime {
  start(module: { handle: typeof handle }, options: object): Promise<unknown>
}

start({ handle }, { port: Number(environment()['PORT']), logLevel: 'fatal', bodyLimit: 8 * 1024 * 1024 }).catch(() =>
  process.exit(1),
)
