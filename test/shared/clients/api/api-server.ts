import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Health, KubeConfig } from '@kubernetes/client-node'
import { inject } from 'vitest'
import { environment } from '../../../../shared/config.ts'
import { endOf, scriptsIn, startScript } from '../../../cluster/control-plane.ts'
import { configOf, startFleet } from '../../../local/clusters/harness.ts'

/** An API server for tests of clients. */
export interface ApiServer {
  isReal: boolean
  /** How its administrator reaches it now; a simulated one is elsewhere after a restart. */
  admin(): KubeConfig
  /** Kills it and starts it again; undefined where that is not ours to do. */
  restart: (() => Promise<void>) | undefined
  end(): Promise<void>
}

/**
 * In the ring on real controllers one that the control plane's scripts start, and start again where it dies; or that of
 * KUBECONFIG, which nobody kills. Else a simulated hub.
 */
export async function apiServer(): Promise<ApiServer> {
  const plane = inject('controlPlane')
  if (plane === undefined) return simulated()
  return environment()['KUBECONFIG'] ? given(plane.kubeconfig) : started()
}

function configIn(kubeconfig: string): KubeConfig {
  const config = new KubeConfig()
  config.loadFromFile(kubeconfig)
  return config
}

function given(kubeconfig: string): ApiServer {
  const config = configIn(kubeconfig)
  return { isReal: true, admin: () => config, restart: undefined, end: async () => undefined }
}

async function started(): Promise<ApiServer> {
  const directory = mkdtempSync(join(tmpdir(), 'api-server-'))
  const script = join(scriptsIn(environment()), 'up.mjs')
  const { child, said } = await startScript(script, ['--no-eventing', '--respawn', '--dir', directory])
  const config = configIn(said['kubeconfig'] ?? '')
  return {
    isReal: true,
    admin: () => config,
    async restart() {
      process.kill(processOf(config), 'SIGKILL')
      while (!(await isReady(config))) await sleep(200)
    },
    async end() {
      await endOf(child)
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** It answers some requests before it can answer all. */
const isReady = (config: KubeConfig) => new Health(config).readyz({}).catch(() => false)

/** The process of an API server of ours, by the port that it alone listens on. */
function processOf(config: KubeConfig): number {
  const { port } = new URL(config.getCurrentCluster()?.server ?? 'https://nowhere')
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  const found = pids.find((pid) => {
    const [command = '', ...words] = wordsOf(pid)
    return command.endsWith('/kube-apiserver') && words.includes(`--secure-port=${port}`)
  })
  if (found === undefined)
    throw new Error(`Cannot kill the API server: no process of that name listens on port ${port}`)
  return Number(found)
}

/** The command line of a process; empty when it has ended. */
function wordsOf(pid: string): string[] {
  try {
    return readFileSync(join('/proc', pid, 'cmdline'), 'utf8').split('\0')
  } catch {
    return []
  }
}

/** It remembers few changes, so that a test can make it forget. */
async function simulated(): Promise<ApiServer> {
  const directory = mkdtempSync(join(tmpdir(), 'api-server-'))
  const fleet = await startFleet({ clusters: ['site-a'], history: 20, directory })
  let { clusters } = fleet
  return {
    isReal: false,
    admin: () => configOf(clusters, 'hub'),
    async restart() {
      await clusters.close()
      clusters = await fleet.start()
    },
    async end() {
      await clusters.close()
      await fleet.end()
      rmSync(directory, { recursive: true })
    },
  }
}
