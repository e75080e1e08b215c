import { execFile, execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Seen } from '../../local/feed.ts'
import type { Tamper } from '../../local/functions.ts'
import { startWorld, type World } from '../../local/world.ts'
import { terminals } from '../../shared/lifecycles.ts'
import { runId } from '../../shared/run.ts'
import type { ProvisionRequest } from '../../shared/schema/request.ts'

/** Whole runs in one process: real Broker, Triggers, Git and faas-js-runtime; only the clusters are simulated. */

const git = promisify(execFile)

export interface Run {
  id: string
  /** Every event of the run that the Broker has accepted so far, the request first. */
  events(): Seen[]
  /** The event that ended it, once its feedback is over. */
  ended: Promise<Seen>
}

export interface Chain extends Omit<World, 'git'> {
  host: World['git']
  /** Posts a request; the same id is the same run. */
  request(data: object, options?: { id?: string; extensions?: Record<string, string> }): Promise<Run>
  post(headers: Record<string, string>, body: string): Promise<number>
  /** Which deliveries fail, and how; set by tests. */
  tamper: { with: Tamper }
  /** The files of the fleet repository: path to blob id. */
  files(): Promise<Record<string, string>>
  /** Runs git in the fleet repository. */
  git(...args: string[]): Promise<string>
  /** Commits a file as somebody else would, at once. */
  interfere(path: string, content: string | null): void
}

/** Starts a world of its own in a temporary folder. */
export async function startChain(settings: Record<string, string> = {}): Promise<Chain> {
  const directory = await mkdtemp(join(tmpdir(), 'drover-chain-'))
  const tamper: Chain['tamper'] = { with: () => undefined }
  const world = await startWorld({
    directory,
    delays: 0,
    tamper: (name, event) => tamper.with(name, event),
    settings: { DROVER_LOG_LEVEL: 'silent', DROVER_GRACE_SECONDS: '0.3', DROVER_PATIENCE_SECONDS: '5', ...settings },
  })
  const repository = ['--git-dir', world.git.path]
  const post = async (headers: Record<string, string>, body: string) =>
    (await fetch(world.broker, { method: 'POST', headers, body })).status
  return {
    ...world,
    host: world.git,
    tamper,
    post,
    async request(data, { id = randomUUID(), extensions = {} } = {}) {
      const event = {
        specversion: '1.0',
        id,
        source: '/tests',
        type: 'dev.drover.provision.requested',
        time: new Date().toISOString(),
        ...extensions,
        data,
      }
      await post({ 'content-type': 'application/cloudevents+json' }, JSON.stringify(event))
      return follow(world, event.source, id)
    },
    git: async (...args) => (await git('git', [...repository, ...args], { maxBuffer: 1 << 26 })).stdout,
    async files() {
      const { stdout } = await git(
        'git',
        [...repository, 'ls-tree', '-r', '--format=%(path)%x00%(objectname)', 'main'],
        { maxBuffer: 1 << 26 },
      )
      return Object.fromEntries(
        stdout.split('\n').flatMap((line) => (line === '' ? [] : [line.split('\0') as [string, string]])),
      )
    },
    interfere(path, content) {
      const change =
        content === null ? `D ${path}\n` : `M 100644 inline ${path}\ndata ${Buffer.byteLength(content)}\n${content}\n`
      const tip = execFileSync('git', [...repository, 'rev-parse', 'main'], { encoding: 'utf8' }).trim()
      const commit = `commit refs/heads/main\ncommitter Ann <ann@example.com> now\ndata 11\nby somebody\nfrom ${tip}\n${change}\n`
      execFileSync('git', [...repository, 'fast-import', '--quiet', '--date-format=now'], { input: commit })
    },
    async close() {
      await world.close()
      await rm(directory, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}

function follow({ feed }: World, source: string, id: string): Run {
  const run = runId(source, id)
  const isEnd = (seen: Seen) => seen.run === run && terminals.some((fact) => seen.type.endsWith(`.${fact}`))
  const isTold = (seen: Seen) => seen.run === run && /\.notif(ied|y\.failed)$/.test(seen.type)
  return {
    id: run,
    events: () => feed.seen.filter((seen) => seen.run === run || (seen.source === source && seen.id === id)),
    ended: feed.first(isTold).then(() => feed.first(isEnd)),
  }
}

/** The facts of a run's events, without the lifecycle's prefix and without progress. */
export const factsOf = (run: Run): string[] =>
  run
    .events()
    .map(({ type }) => type.replace('dev.drover.provision.', ''))
    .filter((fact) => !fact.endsWith('.progressing'))

let count = 0

/** A small request under a name that nobody has. */
export function small(change: Partial<ProvisionRequest> = {}): Partial<ProvisionRequest> {
  count += 1
  return {
    template: 'linux-small',
    namespace: 'shop',
    owner: { kind: 'Group', name: 'team-shop' },
    name: `vm-${process.pid}-${count}`,
    ...change,
  }
}
