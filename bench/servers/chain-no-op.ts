import * as runtime from 'faas-js-runtime'
import { environment } from '../../shared/config.ts'
import { taskFor } from '../../shared/event-types.ts'
import { runId } from '../../shared/run.ts'

/** A function that answers each event with the next fact of its lifecycle and does nothing for it. */

interface Hop {
  id: string
  type: string
  cloneWith(changes: object): unknown
}

const handle = async (_: unknown, event: Hop) => {
  const next = taskFor(event.type)
  if (!next) return { statusCode: 204 }
  const { lifecycle, task } = next
  const type = `dev.drover.${lifecycle.name}.${task.done}`
  // As the first function of a run would say it.
  return event.cloneWith({ id: `${event.id}-${task.done}`, type, source: `/drover/${task.by}`, runid: runOf(event) })
}

const runOf = (event: Hop & { runid?: string }) => event.runid ?? runId('/bench', event.id)

// The package is CommonJS: unbuilt, Node offers it as the default export alone.
const { start } = (runtime as unknown as { default: Runtime }).default

interface Runtime {
  start(module: { handle: typeof handle }, options: object): Promise<unknown>
}

start({ handle }, { port: Number(environment()['PORT']), logLevel: 'fatal', bodyLimit: 8 * 1024 * 1024 }).catch(() =>
  process.exit(1),
)
