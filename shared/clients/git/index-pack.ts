import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import type { CloneConfig } from './make-clone.ts'
import { type GitCall, runGit } from './process.ts'

export interface PackIndexer {
  write(bytes: Buffer): void
  /** Waits until it can take more: what comes faster than it is taken must not pile up here. */
  ready(): Promise<void>
  /** Waits until the pack is in the clone, whole and checked; false when it was not one. */
  end(): Promise<boolean>
}

/** Takes a pack into a clone while it arrives (git-index-pack(1)). It may lack what the server keeps for us (a promisor's pack). */
export function indexPack(
  { running, signal }: Pick<CloneConfig, 'running' | 'signal'>,
  call: Pick<GitCall, 'directory' | 'env' | 'timeout'>,
): PackIndexer {
  const pack = new PassThrough()
  const run = runGit({ ...call, args: ['index-pack', '--stdin', '--promisor'], signal, input: pack })
  const taken = run.then(
    ({ code }) => code === 0,
    () => false,
  )
  running.add(taken)
  void taken.then(() => {
    running.delete(taken)
    // Where it has ended early, nobody waits for the rest.
    pack.resume()
  })
  return {
    write: (bytes) => void pack.write(bytes),
    ready: async () => {
      if (pack.writableNeedDrain) await once(pack, 'drain')
    },
    end: () => {
      pack.end()
      return taken
    },
  }
}
