import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Health, KubeConfig } from '@kubernetes/client-node'
import { environment } from '../../shared/config.ts'
import { configOf, startFleet } from '../local/clusters/harness.ts'

/** An API server for tests of clients. */
export interface ApiServer {
  isReal: boolean
  /** How its administrator reaches it now; a simulated one is elsewhere after a restart. */
  admin(): KubeConfig
  /** Kills it and starts it again; undefined where that is not ours to do. */
  restart: (() => Promise<void>) | undefined
  end(): Promise<void>
}

/** Where the API server is: at the current context of the kubeconfig in TEST_KUBECONFIG; else a simulated hub is started. */
export function apiServer(): Promise<ApiServer> {
  const kubeconfig = environment()['TEST_KUBECONFIG']
  return kubeconfig ? real(kubeconfig) : simulated()
}

async function real(kubeconfig: string): Promise<ApiServer> {
  const config = new KubeConfig()
  config.loadFromFile(kubeconfig)
  const restart = async () => {
    const pid = expendable(config)
    if (pid === undefined) throw new Error('Cannot kill the API server: it is gone')
    process.kill(pid, 'SIGKILL')
    while (!(await isReady(config))) await sleep(200)
  }
  const isOurs = expendable(config) !== undefined
  return { isReal: true, admin: () => config, restart: isOurs ? restart : undefined, end: async () => undefined }
}

/** It answers some requests before it can answer all. */
const isReady = (config: KubeConfig) => new Health(config).readyz({}).catch(() => false)

/** The process of an API server on this machine whose parent has said that it starts again what dies. */
function expendable(config: KubeConfig): number | undefined {
  const { hostname, port } = new URL(config.getCurrentCluster()?.server ?? 'https://nowhere')
  if (hostname !== '127.0.0.1') return undefined
  const isIt = ([command = '', ...words]: string[]) =>
    command.endsWith('/kube-apiserver') && words.includes(`--secure-port=${port}`)
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .find((pid) => isIt(wordsOf(pid)) && wordsOf(parentOf(pid)).includes('--respawn'))
}

const wordsOf = (pid: number) => fileOf(pid, 'cmdline').split('\0')
const parentOf = (pid: number) => Number(/^PPid:\s+(\d+)$/m.exec(fileOf(pid, 'status'))?.[1])

/** A file about a process; empty when the process has ended. */
function fileOf(pid: number, name: string): string {
  try {
    return readFileSync(join('/proc', String(pid), name), 'utf8')
  } catch {
    return ''
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
