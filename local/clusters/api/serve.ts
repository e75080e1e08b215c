import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type Certificate, selfSigned } from '../certificate.ts'
import type { Cluster } from '../cluster.ts'
import type { Faults } from '../faults.ts'
import { type Kubeconfig, kubeconfigOf } from '../kubeconfig.ts'
import { serveApi } from './server.ts'

/** What clusters are known by, and the token that each lets people in with: where they stay, so does the kubeconfig. */
export interface Identity extends Certificate {
  tokens: Record<string, string>
}

export const newIdentity = (clusters: readonly string[]): Identity => ({
  ...selfSigned('simulated clusters'),
  tokens: Object.fromEntries(clusters.map((name) => [name, randomBytes(24).toString('base64url')])),
})

interface Settings {
  ports?: Record<string, number> | undefined
  identity: Identity
  kubeconfigPath?: string | undefined
  currentContext?: string | undefined
  onError?: ((error: unknown) => void) | undefined
}

export interface Served {
  kubeconfig: Kubeconfig
  close(): Promise<void>
}

/** Serves the APIs of all clusters, or of none when one of them cannot be; writes the kubeconfig that lets people in. */
export async function serve(clusters: Cluster[], faults: Faults, settings: Settings): Promise<Served> {
  const { ports, identity, kubeconfigPath, currentContext = 'hub', onError = () => undefined } = settings
  const { certificate, key, tokens } = identity
  const attempts = await Promise.allSettled(
    clusters.map(async ({ name, store, kubevirt }) => {
      const { [name]: token = '' } = tokens
      if (token === '') throw new Error(`Cannot serve cluster ${name}: there is no token for it`)
      const settings = { cluster: name, store, kubevirt, faults, token, certificate, key }
      const served = await serveApi({ ...settings, port: ports?.[name], onError })
      return { name, token, certificate, ...served }
    }),
  )
  const servers = attempts.flatMap((attempt) => (attempt.status === 'fulfilled' ? [attempt.value] : []))
  const close = async () => {
    await Promise.all(servers.map((server) => server.close()))
  }
  const failed = attempts.find((attempt) => attempt.status === 'rejected')
  if (failed) {
    await close()
    throw failed.reason
  }
  const kubeconfig = kubeconfigOf(servers, currentContext)
  if (kubeconfigPath !== undefined) await writeKubeconfig(kubeconfigPath, kubeconfig)
  return { kubeconfig, close }
}

async function writeKubeconfig(path: string, kubeconfig: Kubeconfig): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, `${JSON.stringify(kubeconfig, null, 2)}\n`, { mode: 0o600 })
}
