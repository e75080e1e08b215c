import type { GitResult } from './process.ts'

/**
 * Every fetch and every push leaves a pack in the clone; so many of them are let be. Bitmaps are for who has every object, which a
 * partial clone has not: git fails over them. Objects that nothing needs come from plans that were given up, and are soon removed.
 */
const LIMITS = [
  'gc.auto=3000',
  'gc.autoPackLimit=60',
  'gc.autoDetach=false',
  'gc.pruneExpire=1.hour.ago',
  'repack.writeBitmaps=false',
].flatMap((limit) => ['-c', limit])

/** What came from the server git never throws away, so after so many times a new clone is made. */
const MOST = 40

export interface Tidying {
  git(args: readonly string[]): Promise<GitResult>
  /** Told that files of the clone have been put together: who still holds them open should let go. */
  tidied(): void
  remake(why: string): Promise<unknown>
}

/** Counts what the clone goes through, and has Git tidy it up now and then, beside whatever else is going on. */
export function tidier(every: number, { git, tidied, remake }: Tidying): () => Promise<void> {
  let count = 0
  let times = 0
  let running: Promise<void> = Promise.resolve()
  const tidy = async () => {
    if (++times % MOST === 0) return void (await remake('it has been used for long'))
    const { code, stderr } = await git([...LIMITS, 'gc', '--auto', '--quiet'])
    if (code === 0) tidied()
    else await remake(`git cannot tidy it up: ${stderr}`)
  }
  return () => {
    // What fails here shows where it matters.
    if (++count % every === 0) running = running.then(tidy).catch(() => undefined)
    return running
  }
}
