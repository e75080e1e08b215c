import { watch } from 'node:fs'
import { join } from 'node:path'

/** When the branch of a repository on disk has moved. */
export interface Branch {
  /** The last time before a moment, both as `performance.now()` has them. */
  movedBefore(moment: number): number
  close(): void
}

/** Watches from now on: nobody who pushes needs to say when. */
export function watchBranch(repository: string, branch = 'main'): Branch {
  const moves: number[] = []
  const watcher = watch(join(repository, 'refs/heads'), (_, file) => {
    // Git writes a file beside it, and puts that in its place.
    if (file === branch) moves.push(performance.now())
  })
  return {
    movedBefore(moment) {
      const move = moves.findLast((one) => one <= moment)
      if (move === undefined) throw new Error(`Cannot tell when ${branch} has moved: it has not`)
      return move
    },
    close: () => watcher.close(),
  }
}
