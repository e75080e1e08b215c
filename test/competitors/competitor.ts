import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const execute = promisify(execFile)

/** Somebody else who writes to the fleet repository, over HTTP, with the git that people have. */
export interface Competitor {
  /** Changes files of the newest tree and pushes, again on what is newest by then until it is taken; answers with the commit. */
  push(subject: string, change: (folder: string) => void): Promise<string>
  /**
   * Writes a commit of theirs with another message, and all that came after it anew; forces that onto the branch if nobody pushed
   * meanwhile, and says whether it was taken.
   */
  reword(subject: string): Promise<boolean>
  /** Takes the branch back to a commit, whatever came after it. */
  takeBackTo(commit: string): Promise<void>
  /** The newest commit. */
  look(): Promise<string>
  close(): void
}

export async function openCompetitor(remote: string): Promise<Competitor> {
  const folder = mkdtempSync(join(tmpdir(), 'drover-competitor-'))
  const env = {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    HOME: folder,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
  }
  const ann = ['-c', 'user.name=Ann', '-c', 'user.email=ann@example.com', '-c', 'gc.auto=0']
  const git = async (...args: string[]) => {
    const { stdout } = await execute('git', ['-C', folder, ...ann, ...args], { env, maxBuffer: 1 << 26 })
    return stdout.trim()
  }
  const isDone = (...args: string[]) =>
    git(...args).then(
      () => true,
      () => false,
    )
  await git('clone', '--quiet', remote, '.')

  const look = async () => {
    await git('fetch', '--quiet', 'origin', 'main')
    await git('reset', '--quiet', '--hard', 'FETCH_HEAD')
    return git('rev-parse', 'HEAD')
  }
  return {
    look,
    async push(subject, change) {
      for (;;) {
        await look()
        change(folder)
        await git('add', '--all')
        await git('commit', '--quiet', '--allow-empty', '-m', subject)
        if (await isDone('push', '--quiet', 'origin', 'HEAD:main')) return git('rev-parse', 'HEAD')
      }
    },
    async reword(subject) {
      const seen = await look()
      const commit = await git('log', '-1', '--format=%H', '--fixed-strings', `--grep=${subject}`)
      const message = `${subject} (again)`
      const other = await git('commit-tree', `${commit}^{tree}`, '-p', `${commit}~1`, '-m', message)
      await git('rebase', '--quiet', '--onto', other, commit)
      return isDone('push', '--quiet', `--force-with-lease=main:${seen}`, 'origin', 'HEAD:main')
    },
    async takeBackTo(commit) {
      await git('push', '--quiet', '--force', 'origin', `${commit}:main`)
    },
    close: () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }),
  }
}

/** Does the same again and again until it is told to end; answers with what each time came to. */
export function again<T>(act: (round: number) => Promise<T>): { end(): Promise<T[]> } {
  let isEnding = false
  const all: T[] = []
  const going = (async () => {
    for (let round = 1; !isEnding; round += 1) all.push(await act(round))
    return all
  })()
  going.catch(() => undefined)
  return {
    end: () => {
      isEnding = true
      return going
    },
  }
}
