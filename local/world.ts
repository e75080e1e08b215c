import { randomBytes, randomUUID } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brokerPoster } from '../shared/clients/broker.ts'
import { environment, newSigningKey } from '../shared/config.ts'
import { messageOf } from '../shared/errors.ts'
import { sweep } from '../shared/event-types.ts'
import type { FunctionName } from '../shared/lifecycles.ts'
import { type RunningBroker, startBroker } from './broker/broker.ts'
import type { Resolve } from './broker/check.ts'
import { readManifests } from './broker/load.ts'
import { type Clusters, startClusters } from './clusters/clusters.ts'
import type { Delays } from './clusters/pace.ts'
import { usualClusters } from './clusters/seed.ts'
import { Feed } from './feed.ts'
import { choosePorts, type Functions, type Ports, startInline, startProcesses, type Tamper } from './functions.ts'
import { type GitHostProcess, startGitProcess } from './git/process.ts'
import type { Settings } from './git/repository.ts'
import { seedFleet } from './git/seed.ts'
import { holdDirectory } from './hold.ts'

/** All of Drover on one machine: Broker, Git host, clusters and functions, over real protocols on loopback. */
export interface World {
  /** Where events are POSTed. */
  broker: string
  git: GitHostProcess
  clusters: Clusters
  kubeconfig: string
  feed: Feed
  functions: Functions
  /** Where each function listens. */
  ports: Ports
  /** Resolves when no delivery is pending. */
  idle(): Promise<void>
  close(): Promise<void>
}

export interface WorldOptions {
  /** Where everything is kept; a second start over it goes on with the same fleet. */
  directory: string
  /** The bundle to run the functions from, each as a process; without it they run within this process. */
  bundle?: string
  /** Starts the functions in another way. */
  start?: (ports: Ports, environmentOf: EnvironmentOf) => Promise<Functions>
  ports?: { broker?: number; git?: number; events?: number }
  delays?: number | Delays
  /** Which KubeVirt the managed clusters play, such as 1.5. */
  kubevirt?: string | undefined
  /** More of the functions' environment. */
  settings?: Record<string, string>
  /** The folder that a new fleet begins with. */
  fleet?: string
  /** Git's settings for serving the fleet, where they differ from the usual. */
  gitSettings?: Settings
  warn?: (sentence: string) => void
  /** Milliseconds between two ticks for `recover` (a minute). */
  tickEvery?: number
  /** Gives each function a clone of its own where all run within this process, as if each had one. */
  apart?: boolean
  /** For tests of failures; only without a bundle. */
  tamper?: Tamper
}

/** What a function works with. */
export interface Parts {
  broker: string
  git: string
  kubeconfig: string
  secrets: Secrets
}

/** The environment of a function on this machine. */
export const environmentWith = ({ broker, git, kubeconfig, secrets }: Parts): Record<string, string> => ({
  ...inherited(),
  DROVER_BROKER_URL: broker,
  DROVER_SIGNING_KEYS: secrets.signingKey,
  DROVER_GIT_URL: git,
  DROVER_GIT_TOKEN: secrets.gitToken,
  DROVER_ARGOCD_REPO_URL: repoUrl,
  DROVER_CALLBACK_ALLOW_PRIVATE: 'loopback',
  // No container is run: the Job that pushes says what Drover's own image would.
  DROVER_PUSH_IMAGE: 'registry.example.com/drover:latest',
  DROVER_GRACE_SECONDS: '5',
  KUBECONFIG: kubeconfig,
})

const root = new URL('..', import.meta.url).pathname

/** Argo CD's address of the fleet repository: it stands in Git, so it must not change with the Git host's port. */
export const repoUrl = 'http://git.drover.local/fleet.git'

/** Starts everything. What was started is ended again when something cannot start. */
export async function startWorld(options: WorldOptions): Promise<World> {
  const { directory, warn = () => undefined, ports = {} } = options
  const started: (() => unknown)[] = [holdDirectory(directory)]
  const close = async () => {
    for (const end of started.splice(0).reverse()) await end()
  }
  try {
    const secrets = readSecrets(directory)
    const git = await startGitProcess({
      directory: join(directory, 'git'),
      token: secrets.gitToken,
      env: environment(),
      ...(ports.git ? { port: ports.git } : {}),
      ...(options.gitSettings ? { settings: options.gitSettings } : {}),
    })
    started.push(() => git.close())
    await seedFleet(git.path, options.fleet ?? join(root, 'examples/fleet'), { env: environment() })
    const kubeconfig = join(directory, 'kubeconfig')
    const clusters = await startClusters({
      repository: { url: repoUrl, path: git.path },
      directory: join(directory, 'clusters'),
      kubeconfigPath: kubeconfig,
      currentContext: 'hub',
      delays: options.delays,
      ...(options.kubevirt === undefined ? {} : { clusters: played(options.kubevirt) }),
      bootstrap: { repoURL: repoUrl },
      onError: (error) => warn(String(error)),
    })
    started.push(() => clusters.close())
    const feed = new Feed()
    await feed.serve(ports.events ?? 0)
    started.push(() => feed.close())
    const functionPorts = await choosePorts()
    const broker = await startLocalBroker(ports.broker ?? 0, (name) => functionPorts[name as FunctionName], feed, warn)
    started.push(() => broker.close())
    const url = broker.url('drover', 'default')
    const environmentOf = (name: FunctionName) => ({
      ...environmentWith({ broker: url, git: git.plainUrl, kubeconfig, secrets }),
      // Who runs in one process has one clone, as without FUNCTION.
      DROVER_GIT_DIRECTORY: join(directory, 'clones', options.bundle || options.apart ? name : 'any'),
      ...options.settings,
    })
    const functions = await startFunctions(options, functionPorts, environmentOf)
    // They end after the Broker: what it delivers while they end would only fail.
    started.splice(started.length - 1, 0, () => functions.close())
    const ticking = startTicks(url, options.tickEvery ?? 60_000, warn)
    started.push(() => clearInterval(ticking))
    return {
      broker: url,
      git,
      clusters,
      kubeconfig,
      feed,
      functions,
      ports: functionPorts,
      idle: () => broker.idle(),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

const played = (kubevirt: string) => usualClusters.map((one) => ({ ...one, kubevirt }))

type EnvironmentOf = (name: FunctionName) => Record<string, string>

function startFunctions(options: WorldOptions, ports: Ports, environmentOf: EnvironmentOf): Promise<Functions> {
  const { start, bundle, directory, tamper } = options
  if (start) return start(ports, environmentOf)
  return bundle
    ? startProcesses(bundle, ports, join(directory, 'logs'), environmentOf)
    : startInline(ports, environmentOf, tamper)
}

/** The Broker of `broker/` with the Triggers of `triggers/`, as they are. */
async function startLocalBroker(
  port: number,
  portOf: (name: string) => number | undefined,
  feed: Feed,
  warn: (sentence: string) => void,
): Promise<RunningBroker> {
  const manifests = await readManifests(join(root, 'broker'), join(root, 'triggers'))
  const resolve: Resolve = ({ name }) => {
    const found = portOf(name)
    return found === undefined ? undefined : new URL(`http://127.0.0.1:${found}/`)
  }
  return startBroker({ manifests, port, resolve, warn, observe: (accepted) => feed.note(accepted) })
}

/** What a PingSource does in production. */
function startTicks(broker: string, milliseconds: number, warn: (sentence: string) => void): NodeJS.Timeout {
  const post = brokerPoster(broker)
  const tick = () => ({ id: randomUUID(), source: '/local/timer', type: sweep.type, extensions: {}, data: {} })
  return setInterval(() => post?.(tick()).catch((error) => warn(messageOf(error))), milliseconds).unref()
}

export interface Secrets {
  gitToken: string
  signingKey: string
}

/** The secrets of this directory, made at its first use. */
export function readSecrets(directory: string): Secrets {
  const path = join(directory, 'secrets.json')
  if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')) as Secrets
  const secrets = { gitToken: randomBytes(24).toString('base64url'), signingKey: newSigningKey() }
  writeFileSync(path, JSON.stringify(secrets), { mode: 0o600 })
  return secrets
}

/** What any process needs of ours, and nothing that would tell a function how to behave. */
function inherited(): Record<string, string> {
  const { PATH, HOME, TMPDIR } = environment()
  return { ...(PATH ? { PATH } : {}), ...(HOME ? { HOME } : {}), ...(TMPDIR ? { TMPDIR } : {}) }
}
