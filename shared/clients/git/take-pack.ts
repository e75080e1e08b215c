import type { CloneConfig } from './make-clone.ts'
import { endGit, startGit } from './process.ts'

export interface PackTaker {
  write(bytes: Buffer): void
  /** Waits until the pack is in the clone, whole and checked; false when it was not one. */
  end(): Promise<boolean>
}

/**
 * Takes a pack into a clone while it arrives. It may count on objects that the clone has (thin), and may lack those that the
 * server keeps for us (promisor).
 */
export function takePack(
  { running, timeouts }: Pick<CloneConfig, 'running' | 'timeouts'>,
  directory: string,
  env: Record<string, string>,
): PackTaker {
  const child = startGit({ directory, args: ['index-pack', '--stdin', '--fix-thin', '--promisor'], env })
  // One that has ended says by its code what was the matter.
  child.stdin?.on('error', () => undefined)
  child.stdout?.resume()
  child.stderr?.resume()
  const ended = new Promise<boolean>((done) => {
    child.once('error', () => done(false))
    child.once('close', (code) => done(code === 0))
  })
  running.add(ended)
  void ended.finally(() => running.delete(ended))
  return {
    write: (bytes) => void child.stdin?.write(bytes),
    end: async () => {
      const timer = setTimeout(() => endGit(child), timeouts.fetch)
      child.stdin?.end()
      const isTaken = await ended
      clearTimeout(timer)
      return isTaken
    },
  }
}
