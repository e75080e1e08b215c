import { execFile, execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { expect, inject } from 'vitest'
import type { Feed, Seen } from '../../local/feed.ts'
import { eventType, terminalOf } from '../../shared/event-types.ts'
import type { LifecycleName } from '../../shared/lifecycles.ts'
import { runId } from '../../shared/run.ts'
import type { ProvisionRequest } from '../../shared/schema/provision-request.ts'
import { startLocal } from './local.ts'
import type { Platform } from './platform.ts'

/** Whole runs, on the stand-ins or on the real controllers. */

const git = promisify(execFile)

export interface Run {
  id: string
  /** Every event of the run that the Broker has accepted so far, the request first. */
  events(): Seen[]
  /** The event that ended it, once its feedback is over. */
  ended: Promise<Seen>
}

export interface Options {
  lifecycle?: LifecycleName
  id?: string
  extensions?: Record<string, string>
}

export interface Chain extends Platform {
  /** Posts a request; the same id is the same run. */
  request(data: object, options?: Options): Promise<Run>
  post(headers: Record<string, string>, body: string): Promise<number>
  /** The files of the fleet repository: path to blob id. */
  files(): Promise<Record<string, string>>
  /** Runs git in the fleet repository. */
  git(...args: string[]): Promise<string>
  /** Commits a file as somebody else would, at once. */
  interfere(path: string, content: string | null): void
}

/** True where the runs go through the real controllers. */
export const isReal = (): boolean => inject('controlPlane') !== undefined

/** Starts Drover with a fleet of its own, over an older KubeVirt: one that is played, wherever the tests run. */
export async function startOver(kubevirt: string, settings: Record<string, string> = {}): Promise<Chain> {
  return startWith({ kubevirt }, settings)
}

/** Starts Drover with a fleet of its own, on stand-ins that differ from the usual ones, wherever the tests run. */
export async function startWith(
  options: NonNullable<Parameters<typeof startLocal>[1]>,
  settings: Record<string, string> = {},
): Promise<Chain> {
  const platform = await startLocal(settings, options)
  return { ...platform, ...driverOf(platform) }
}

/** Starts Drover with a fleet of its own, on the platform that this test run is for. */
export async function startChain(settings: Record<string, string> = {}): Promise<Chain> {
  const real = inject('controlPlane')
  // Only a run on the real thing loads what it needs.
  const platform = real
    ? await (await import('../cluster/platform.ts')).startReal(real, settings)
    : await startLocal(settings)
  return { ...platform, ...driverOf(platform) }
}

/** The event that ends a run; one that goes on for longer than so many milliseconds is told of, with how far it came. */
export async function endOf(run: Run, longest: number): Promise<Seen> {
  const silence = sleep(longest, undefined, { ref: false }).then(() =>
    expect.fail(`run ${run.id} has not ended:\n${storyOf(run).join('\n')}`),
  )
  return Promise.race([run.ended, silence])
}

/** What a run has said so far. */
export const storyOf = (run: Run): string[] => run.events().map(({ type, data }) => `${type}: ${data.message ?? ''}`)

/** What is done to a platform from outside, the same on each. */
function driverOf({ broker, repository: path, feed }: Platform): Omit<Chain, keyof Platform> {
  const repository = ['--git-dir', path]
  const post = async (headers: Record<string, string>, body: string) =>
    (await fetch(broker, { method: 'POST', headers, body })).status
  return {
    post,
    async request(data, { lifecycle = 'provision', id = randomUUID(), extensions = {} } = {}) {
      const event = {
        specversion: '1.0',
        id,
        source: '/tests',
        type: eventType(lifecycle, 'requested'),
        time: new Date().toISOString(),
        ...extensions,
        data,
      }
      await post({ 'content-type': 'application/cloudevents+json' }, JSON.stringify(event))
      return follow(feed, event.source, id)
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
      const commit = `commit refs/heads/main\ncommitter Ann <ann@example.com> now\ndata 11\nby somebody\nfrom refs/heads/main^0\n${change}\n`
      commitAtTheTip(repository, commit)
    },
  }
}

/** Drover commits meanwhile: git refuses then what came second, and it is made again on what came first. */
function commitAtTheTip(repository: string[], stream: string) {
  for (let left = 20; ; left--)
    try {
      execFileSync('git', [...repository, 'fast-import', '--quiet', '--date-format=now'], { input: stream })
      return
    } catch (error) {
      if (left === 0) throw error
    }
}

function follow(feed: Feed, source: string, id: string): Run {
  const run = runId(source, id)
  const isOwn = (seen: Seen) => seen.run === run || (seen.source === source && seen.id === id)
  // The feed forgets after a while; what is asked of a run is asked later.
  const events = feed.seen.filter(isOwn)
  feed.listen((seen) => {
    if (isOwn(seen)) events.push(seen)
  })
  const isEnd = (seen: Seen) => seen.run === run && terminalOf(seen.type) !== undefined
  const isTold = (seen: Seen) => seen.run === run && /\.notif(ied|y\.failed)$/.test(seen.type)
  return {
    id: run,
    events: () => [...events],
    ended: feed.first(isTold).then(() => feed.first(isEnd)),
  }
}

/** The facts of a run's events, without the lifecycle's prefix and without progress. */
export const factsOf = (run: Run): string[] =>
  run
    .events()
    .map(({ type }) => type.split('.').slice(3).join('.'))
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
