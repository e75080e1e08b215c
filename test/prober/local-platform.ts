import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { newIdentity } from '../../local/clusters/api/serve.ts'
import type { FaultRule } from '../../local/clusters/faults.ts'
import type { Saved } from '../../local/clusters/store.ts'
import { freePorts } from '../../local/free-port.ts'
import type { GitHostConfig } from '../../local/git/host.ts'
import { prepareRepository } from '../../local/git/repository.ts'
import { seedFleet } from '../../local/git/seed.ts'
import { environmentWith, readSecrets, repoUrl } from '../../local/world.ts'
import { buildBundle, bundle } from '../../scripts/build.ts'
import { environment } from '../../shared/config.ts'
import { functionNames } from '../../shared/lifecycles.ts'
import { isListening, isReadyAt, type Kept, keep } from './kept.ts'
import type { BrokerPart } from './parts/broker.ts'
import type { Asked, ClustersPart } from './parts/clusters.ts'
import type { Platform, Target } from './platform.ts'
import { frail, unlucky } from './wanted.ts'

const root = new URL('../..', import.meta.url).pathname
const partAt = (name: string) => new URL(`parts/${name}.ts`, import.meta.url).pathname
const sites = ['site-a', 'site-b']
const names = ['hub', ...sites]

/** What Node takes by itself in a container of 512 MiB. */
const heap = '--max-old-space-size=256'

/** What befalls machines and Jobs, by their namespaces. */
const faults: readonly FaultRule[] = [
  { fault: 'crash-loop', kind: 'VirtualMachine', namespace: unlucky },
  ...[`${frail}-0`, `${frail}-1`, `golden-${frail}`].map(
    (namespace): FaultRule => ({ fault: 'job-fails', kind: 'Job', namespace }),
  ),
]

/** Drover over the stand-ins: functions, Broker, Git host and clusters are processes that may be killed at any moment. */
export async function startLocal(directory: string, settings: Record<string, string> = {}): Promise<Platform> {
  const folder = (name: string) => {
    mkdirSync(join(directory, name), { recursive: true })
    return join(directory, name)
  }
  const logs = folder('logs')
  const [brokerPort = 0, gitPort = 0, ...others] = await freePorts(2 + names.length + functionNames.length)
  const clusterPorts = Object.fromEntries(names.map((name, at) => [name, others[at] ?? 0]))
  const functionPorts = Object.fromEntries(functionNames.map((name, at) => [name, others[names.length + at] ?? 0]))
  const addresses = Object.fromEntries(
    Object.entries(functionPorts).map(([name, port]) => [name, `http://127.0.0.1:${port}/`]),
  )
  const secrets = readSecrets(directory)
  const repository = join(folder('git'), 'fleet.git')
  const kubeconfig = join(directory, 'kubeconfig')
  const journal = join(directory, 'journal.ndjson')
  await buildBundle()
  await prepareRepository(repository, 'main', environment())
  await seedFleet(repository, join(root, 'examples/fleet'), { env: environment() })

  const kept: Kept[] = []
  const part = async (name: string, told: object, port: number): Promise<Kept> => {
    const { PATH = '', HOME = '' } = environment()
    const run = [partAt(name), JSON.stringify(told)]
    const one = await keep({
      ...{ name, run, env: { PATH, HOME }, log: join(logs, `${name}.log`) },
      isReady: () => isListening(port),
    })
    kept.push(one)
    return one
  }
  const close = async () => {
    for (const one of kept.splice(0).reverse()) await one.close()
  }
  try {
    const host = { directory: join(directory, 'git'), port: gitPort, token: secrets.gitToken } satisfies GitHostConfig
    await part('git-host', host, gitPort)
    const clusters = await part(
      'clusters',
      {
        directory: folder('clusters'),
        clusters: {
          repository: { url: repoUrl, path: repository },
          kubeconfigPath: kubeconfig,
          ports: clusterPorts,
          identity: newIdentity(names),
          delays: 0,
          // What only a close has changed nobody asks it to look at.
          polling: 30_000,
          bootstrap: { repoURL: repoUrl },
        },
        faults,
      } satisfies ClustersPart,
      clusterPorts['hub'] ?? 0,
    )
    const broker = `http://127.0.0.1:${brokerPort}/drover/default`
    await part('broker', { port: brokerPort, journal, addresses } satisfies BrokerPart, brokerPort)
    const git = `http://127.0.0.1:${gitPort}/fleet.git`
    for (const name of functionNames)
      kept.push(
        await keep({
          name,
          run: [heap, join(root, 'local/function-process.ts'), bundle, name],
          env: {
            ...environmentWith({ broker, git, kubeconfig, secrets }),
            DROVER_GIT_DIRECTORY: join(directory, 'clones', name),
            FUNCTION: name,
            PORT: String(functionPorts[name]),
            ...settings,
          },
          log: join(logs, `${name}.log`),
          isReady: () => isReadyAt(addresses[name] ?? ''),
        }),
      )
    const strike = (one: Kept): Target => ({ name: one.name, strike: (pause) => one.kill(pause) })
    const restart = (name: string, what: 'restart servers' | 'restart controllers'): Target => ({
      name,
      async strike(after) {
        told(await clusters.ask({ do: what, after } satisfies Asked))
        return true
      },
    })
    return {
      kind: 'local',
      ...{ broker, repository, journal, logs, addresses, sites, close },
      clones: join(directory, 'clones'),
      targets: [
        ...kept.map(strike),
        restart('API servers alone', 'restart servers'),
        restart('controllers alone', 'restart controllers'),
      ],
      watched: [...kept],
      async objects(cluster) {
        told(await clusters.ask({ do: 'save' } satisfies Asked))
        return (JSON.parse(readFileSync(join(directory, 'clusters', `${cluster}.json`), 'utf8')) as Saved).objects
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}

function told(answer: unknown): void {
  const { done, message } = answer as { done: boolean; message?: string }
  if (!done) throw new Error(`Cannot go on: the clusters said ${message}`)
}
