import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type FunctionName, functionNames } from '../shared/lifecycles.ts'
import { holdDirectory, isLeftBehind } from './hold.ts'

/**
 * Lets `func invoke -p functions/<name>` find the functions that run here: it looks for a directory named like a port.
 * Answers how to take them back. `func` does not ask whether anybody listens, and is silent when nobody does; so what a killed
 * process left goes away at the next start, by the process number in it.
 */
export function announceRuns(functions: string, ports: Readonly<Record<FunctionName, number>>): () => void {
  const announced: (() => void)[] = []
  const takeBack = () => {
    for (const end of announced.splice(0)) end()
  }
  try {
    for (const name of functionNames) {
      const runs = join(functions, name, '.func/runs')
      sweep(runs)
      const run = join(runs, String(ports[name]))
      holdDirectory(run)
      announced.push(() => rmSync(run, { recursive: true, force: true }))
    }
  } catch (error) {
    takeBack()
    throw error
  }
  return takeBack
}

/** Removes runs whose process has ended; those that have no process number are not ours. */
function sweep(runs: string): void {
  for (const run of existsSync(runs) ? readdirSync(runs) : [])
    if (isLeftBehind(join(runs, run))) rmSync(join(runs, run), { recursive: true, force: true })
}
