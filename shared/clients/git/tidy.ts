import type { GitResult } from './process.ts'

/** Every fetch and every push leaves a pack or some loose objects in the clone; so many of them are let be. */
const LIMITS = ['-c', 'gc.auto=3000', '-c', 'gc.autoPackLimit=60', '-c', 'gc.autoDetach=false']

/** Counts what the clone goes through, and has Git tidy it up now and then, beside whatever else is going on. */
export function tidier(every: number, git: (args: readonly string[]) => Promise<GitResult>): () => Promise<void> {
  let count = 0
  let running: Promise<void> = Promise.resolve()
  const tidy = async () => {
    // A clone that cannot be tidied will show it where it matters, and is then made again.
    await git([...LIMITS, 'gc', '--auto', '--quiet']).catch(() => undefined)
  }
  return () => {
    if (++count % every === 0) running = running.then(tidy)
    return running
  }
}
