import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { Address, PendingRun } from './fleet/fleets.ts'
import { type Usage, usageOf } from './process-tree.ts'
import { commitRun, openClient } from './runs.ts'

/** A process that commits runs to a fleet and does nothing else, so that what it uses is what the client uses. */
export interface Committer {
  /** Commits them one after the other, each with a push of its own. */
  commit(runs: readonly PendingRun[]): Promise<void>
  usage(): Usage
  close(): Promise<void>
}

interface Task {
  served: Address
  directory: string
  runs: readonly PendingRun[]
}

/** Starts the process; it makes its clone with the first commit. */
export function startCommitter(served: Address, directory: string): Committer {
  const child = fork(import.meta.filename, { execArgv: [] })
  const { plainUrl, token } = served
  const ended = once(child, 'exit').then(() => ['it has ended'])
  return {
    async commit(runs) {
      child.send({ served: { plainUrl, token }, directory, runs } satisfies Task)
      const answered = new Promise<[string | null]>((done) =>
        child.once('message', (problem) => done([problem as string])),
      )
      const [problem] = await Promise.race([answered, ended])
      if (problem) throw new Error(`Cannot commit in a process of its own: ${problem}`)
    },
    usage: () => usageOf(child.pid ?? 0),
    async close() {
      child.disconnect()
      await ended
    },
  }
}

if (import.meta.main) {
  let fleet: ReturnType<typeof openClient> | undefined
  process.on('message', async ({ served, directory, runs }: Task) => {
    try {
      fleet ??= openClient(served, directory)
      for (const run of runs) await commitRun(run, fleet)
      process.send?.(null)
    } catch (error) {
      process.send?.(String(error))
    }
  })
  process.once('disconnect', async () => {
    await fleet?.close()
    process.exit(0)
  })
}
