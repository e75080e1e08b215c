import { accessSync, constants } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { KubeConfig, User } from '@kubernetes/client-node'
import { DroverError } from '../errors.ts'
import { keepSecret } from '../secrets.ts'

export interface KubeconfigSettings {
  kubeconfig: string | undefined
  hubContext: string
  /** The address of the API server of the cluster that this process runs in, if it does. */
  ownCluster?: string | undefined
  /** Where a Pod finds its ServiceAccount's token and the CA of its cluster. */
  serviceAccount?: string
  /** How long a cluster may take for one answer, in milliseconds. */
  patience?: number
}

/** How long a cluster may take for one answer unless said otherwise. */
const usualPatience = 15_000

/** The configuration of one context, with what the library does not do by itself. */
export async function loadContext(config: KubeconfigSettings, context: string): Promise<KubeConfig> {
  const { KubeConfig } = await import('@kubernetes/client-node')
  const { kubeconfig, hubContext, ownCluster } = config
  const mayBeOwn = context === hubContext && ownCluster !== undefined
  const given = new KubeConfig()
  try {
    if (kubeconfig !== undefined) await loadFile(given, kubeconfig)
    else if (ownCluster === undefined) given.loadFromDefault()
  } catch (cause) {
    if (!mayBeOwn || (cause as { code?: unknown }).code !== 'ENOENT')
      throw new DroverError('broken', `Cannot reach cluster "${context}": the kubeconfig cannot be read`, { cause })
  }
  if (given.getContextObject(context)) given.setCurrentContext(context)
  else if (mayBeOwn) loadOwn(given, context, ownCluster, config.serviceAccount)
  else {
    const where =
      kubeconfig === undefined && ownCluster !== undefined
        ? 'there is no kubeconfig'
        : 'the kubeconfig has no context of that name'
    throw new DroverError('broken', `Cannot reach cluster "${context}": ${where}`)
  }
  return tuned(given, context, config.patience)
}

async function loadFile(config: KubeConfig, file: string): Promise<void> {
  const { parse } = await import('yaml')
  const text = await readFile(file, 'utf8')
  config.loadFromString(text)
  config.makePathsAbsolute(dirname(file))
  // The library does not know the kubeconfig's own field for a token that is rotated.
  const { users } = parse(text) as { users?: { name: string; user?: { tokenFile?: string } }[] }
  for (const { name, user } of users ?? [])
    if (user?.tokenFile)
      config.users = config.users.map((one) =>
        one.name === name ? byTokenFile(name, resolve(dirname(file), user.tokenFile ?? '')) : one,
      )
}

const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount'

/** The cluster that the Pod runs in, with the token of its ServiceAccount. */
function loadOwn(config: KubeConfig, name: string, server: string, folder = serviceAccountFolder): void {
  const [caFile, token] = [join(folder, 'ca.crt'), join(folder, 'token')]
  for (const file of [caFile, token]) {
    try {
      accessSync(file, constants.R_OK)
    } catch (cause) {
      throw new DroverError(
        'broken',
        `Cannot reach cluster "${name}": the kubeconfig has no context of that name, and this Pod has no ServiceAccount token`,
        { cause },
      )
    }
  }
  config.loadFromClusterAndUser({ name, server, caFile, skipTLSVerify: false }, byTokenFile(name, token))
}

const tokenFile = 'drover-token-file'
const byTokenFile = (name: string, path: string): User => ({
  name,
  authProvider: { name: tokenFile, config: { path } },
})

/** What the library does not do by itself, for every request through this configuration. */
function tuned(config: KubeConfig, context: string, patience = usualPatience): KubeConfig {
  // Its own reader of token files keeps a token for a minute after it was replaced.
  config.addAuthenticator({
    isAuthProvider: ({ authProvider }) => authProvider?.name === tokenFile,
    async applyAuthentication({ authProvider }, options) {
      const token = await readFile(authProvider.config.path, 'utf8').catch((cause) => {
        throw new DroverError('broken', `Cannot reach cluster "${context}": its token file cannot be read`, { cause })
      })
      options.headers = { ...options.headers, Authorization: `Bearer ${token.trim()}` }
    },
  })
  const library = config as unknown as Library
  // It would make a new connection pool, and so a new TLS connection, for every request.
  const create = library.createDispatcher.bind(library)
  let pool: unknown
  library.createDispatcher = (...options) => {
    pool ??= create(...options)
    return pool
  }
  // It would wait for five minutes for a server that does not answer. Its watches have a limit of their own.
  const apply = config.applySecurityAuthentication.bind(config)
  config.applySecurityAuthentication = async (request) => {
    request.setSignal(AbortSignal.timeout(patience))
    await apply(request)
    // Its errors hold all that a server answered, and proxies have answered with what they were asked.
    const [, ...words] = (request.getHeaders()['Authorization'] ?? '').split(' ')
    keepSecret(words.join(' '))
  }
  return config
}

interface Library {
  createDispatcher(...options: unknown[]): unknown
}
