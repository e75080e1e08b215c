import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { toRemote } from '../shared/clients/git/remote.ts'
import { environment } from '../shared/config.ts'
import type { Address } from './fleet/fleets.ts'
import { fastImport, type Imported } from './fleet/import.ts'

const execute = promisify(execFile)

/** The fleet repository as somebody uses it who knows git well, with the settings that Drover gives to git. */
export interface ByHand {
  /** The clone that fetches least. */
  clone(directory: string): Promise<void>
  fetch(directory: string): Promise<void>
  commit(directory: string, commits: Iterable<Imported>): Promise<void>
  /** False when the branch has moved. */
  push(directory: string): Promise<boolean>
  git(directory: string, ...args: string[]): Promise<string>
}

/** Git's commands over HTTP, one after the other. */
export function byHand({ plainUrl, token }: Address): ByHand {
  const remote = toRemote({ url: plainUrl, token, directory: '/nowhere', env: environment() })
  const run = async (...args: string[]) =>
    (await execute('git', args, { env: await remote.environment(), maxBuffer: 1 << 28 })).stdout
  const git: ByHand['git'] = (directory, ...args) => run(`--git-dir=${directory}`, ...args)
  return {
    git,
    clone: async (directory) => {
      await run('clone', '--quiet', '--bare', '--depth=1', '--filter=blob:none', plainUrl, directory)
    },
    fetch: async (directory) => {
      await git(directory, 'fetch', '--quiet', '--filter=blob:none', 'origin', '+refs/heads/main:refs/heads/main')
    },
    commit: async (directory, commits) => fastImport(directory, commits, await remote.environment()),
    push: (directory) =>
      git(directory, 'push', '--quiet', 'origin', 'refs/heads/main').then(
        () => true,
        (error: Error) => {
          if (/rejected|failed to update ref|cannot lock ref/.test(error.message)) return false
          throw error
        },
      ),
  }
}
