import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { onTestFinished, vi } from 'vitest'
import { type GitHost, type GitHostConfig, startGitHost } from '../../../../local/git/host.ts'
import { type Clone, openClone } from '../../../../shared/clients/git/clone.ts'
import { toRemote } from '../../../../shared/clients/git/remote.ts'
import { type FleetConfig, openFleet } from '../../../../shared/clients/git.ts'
import { type Environment, newSigningKey, readConfig } from '../../../../shared/config.ts'
import type { Change, Fleet, Transaction } from '../../../../shared/fleet.ts'

export const TOKEN = 'canary-4f1d2c'

// Every test starts some dozens of processes, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 60_000 })

const execute = promisify(execFile)

export interface World {
  host: GitHost
  directory: string
  /** A client of its own, with a clone of its own, closed with the test. */
  open(config?: Partial<FleetConfig>): Fleet
  /** The same, as variables say it to a function: where the host is, they need not say. */
  openBy(env: Environment, config?: Partial<FleetConfig>): Fleet
  /** Writes a file beside the repository, and answers with its path. */
  file(name: string, text: string): Promise<string>
  /** Git on the server's own repository. */
  git(...args: string[]): Promise<string>
  /** A commit by somebody else, straight into the server's repository; answers with its id. */
  commitBehind(files: Record<string, string>, message?: string): Promise<string>
  warnings: string[]
}

/** A real Git host with an empty repository, gone when the test ends. */
export async function makeWorld(config: Partial<GitHostConfig> = {}): Promise<World> {
  const directory = await mkdtemp(join(tmpdir(), 'drover-git-'))
  const host = await startGitHost({ directory: join(directory, 'host'), token: TOKEN, ...config })
  const fleets: Fleet[] = []
  const warnings: string[] = []
  onTestFinished(async () => {
    await Promise.all(fleets.map((fleet) => fleet.close()))
    await host.close()
    await rm(directory, { recursive: true, force: true })
  })
  const open = (config: Partial<FleetConfig> = {}) => {
    const fleet = openFleet({
      url: host.plainUrl,
      branch: 'main',
      token: TOKEN,
      directory: join(directory, 'cache'),
      author: { name: 'Drover', email: 'drover@example.com' },
      log: { warn: (fields, message) => warnings.push(`${message} ${JSON.stringify(fields)}`) },
      ...config,
    })
    fleets.push(fleet)
    return fleet
  }
  const openBy: World['openBy'] = (env, config) => {
    const needed = { DROVER_GIT_URL: host.plainUrl, DROVER_SIGNING_KEYS: newSigningKey() }
    const { directory: _, ...settings } = readConfig({ ...needed, ...env }).git
    // Without a variable there is no token, whatever the tests' own client has.
    return open({ token: async () => '', ...settings, ...config })
  }
  const file = async (name: string, text: string) => {
    await writeFile(join(directory, name), text)
    return join(directory, name)
  }
  const git = async (...args: string[]) =>
    (await execute('git', [`--git-dir=${host.path}`, ...args])).stdout.replace(/\n$/, '')
  const commitBehind = (files: Record<string, string>, message = 'by hand') =>
    commitInto(host.path, git, files, message)
  return { host, directory, open, openBy, file, git, commitBehind, warnings }
}

/** The clone alone, of a client of its own; closed with the test. */
export function openIn({ host, directory }: World, url = host.plainUrl): Clone {
  const closing = new AbortController()
  const clone = openClone({
    remote: toRemote({ url, token: TOKEN, directory: join(directory, 'cache') }),
    branch: 'main',
    directory: join(directory, 'cache'),
    timeouts: { clone: 10_000, fetch: 10_000, push: 10_000, local: 10_000 },
    signal: closing.signal,
    running: new Set(),
    onRemake: () => undefined,
  })
  onTestFinished(async () => {
    closing.abort()
    await clone.close()
  })
  return clone
}

async function commitInto(
  path: string,
  git: World['git'],
  files: Record<string, string>,
  message: string,
): Promise<string> {
  const parent = await git('rev-parse', '--quiet', '--verify', 'refs/heads/main').catch(() => '')
  const changes = Object.entries(files).map(
    ([name, text]) => `M 100644 inline ${name}\ndata ${Buffer.byteLength(text)}\n${text}\n`,
  )
  const from = parent === '' ? '' : `from ${parent}\n`
  const stream = `commit refs/heads/main\ncommitter Human <h@example.com> now\ndata ${message.length}\n${message}\n${from}${changes.join('')}\n`
  const running = execute('git', [`--git-dir=${path}`, 'fast-import', '--quiet', '--date-format=now'])
  running.child.stdin?.end(stream)
  await running
  return git('rev-parse', 'refs/heads/main')
}

/** A transaction with fixed changes. */
export function writing(changes: Record<string, string | null>, run = 'run-1', step = 'commit'): Transaction<string> {
  const list: Change[] = Object.entries(changes).map(([path, content]) => ({ path, content }))
  return deciding(run, async () => ({ changes: list, value: run }), step)
}

/** A transaction that appends a line to its own file and adds one to the counter that all share. */
export function counting(run: string): Transaction<number> {
  return deciding(run, async (tree) => {
    const count = Number((await tree.read('counter')) ?? '0') + 1
    const own = `${(await tree.read(`vms/${run}.txt`)) ?? ''}${run}\n`
    const changes = [
      { path: 'counter', content: String(count) },
      { path: `vms/${run}.txt`, content: own },
    ]
    return { changes, value: count }
  })
}

/** A transaction with a decision of its own. */
export function deciding<T>(run: string, decide: Transaction<T>['decide'], step = 'commit'): Transaction<T> {
  return {
    subject: `Change for ${run}`,
    trailers: { run, step, lifecycle: 'provision', requester: 'ann@example.com' },
    decide,
  }
}
