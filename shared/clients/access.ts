import { accessSync, constants } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { KubeConfig, User } from '@kubernetes/client-node'
import { DroverError } from '../errors.ts'

/**
 * The ways to the hub and to the managed clusters. A kubeconfig has a context for each; in a cluster, the hub may be
 * left out of it, and is then the cluster that the Pod runs in. Credentials are rotated while we run.
 */

export interface AccessConfig {
  kubeconfig: string | undefined
  hubContext: string
  /** The address of the API server of the cluster that this process runs in, if it does. */
  ownCluster?: string | undefined
  /** Where a Pod finds its ServiceAccount's token and the CA of its cluster. */
  serviceAccount?: string
}

/** A way to one cluster. */
export interface Access {
  /** Does something there; once more with everything read anew where the answer is 401, and some times where it is busy. */
  use<T>(act: (config: KubeConfig) => Promise<T>): Promise<T>
  /** What to say of something that failed there: the cause is only logged. */
  failure(cause: unknown): DroverError
}

/** How long a kubeconfig is not read again, in milliseconds. */
const freshFor = 60_000

/** How long a cluster may take for one answer, in milliseconds. */
const patience = 15_000

/** How often a busy cluster is asked again, and after how many milliseconds: it wants a second or more. */
const busyAttempts = 4
const busyPause = 1_000

/** Opens the way to any context by its name; a kubeconfig is read at the first use, and the library loaded then. */
export function openAccess(config: AccessConfig): (context: string) => Access {
  const contexts = new Map<string, { loading: Promise<KubeConfig>; since: number }>()
  const loaded = (name: string): Promise<KubeConfig> => {
    const known = contexts.get(name)
    if (known && Date.now() - known.since < freshFor) return known.loading
    const loading = load(config, name)
    contexts.set(name, { loading, since: Date.now() })
    loading.catch(() => contexts.delete(name))
    return loading
  }
  /** One attempt; a 401 throws the configuration away, so that the next attempt reads everything anew. */
  const attempt = async <T>(name: string, act: (config: KubeConfig) => Promise<T>): Promise<T> => {
    const loading = loaded(name)
    try {
      return await act(await loading)
    } catch (error) {
      if (codeOf(error) === 401 && contexts.get(name)?.loading === loading) contexts.delete(name)
      throw error
    }
  }
  return (name) => ({
    async use(act) {
      let renewals = 1
      for (let waits = busyAttempts; ; ) {
        try {
          return await attempt(name, act)
        } catch (error) {
          const code = codeOf(error)
          if (code === 401 && renewals-- > 0) continue
          if (!isBusy(code) || waits-- === 0) throw error
          await sleep(busyPause)
        }
      }
    },
    failure: (cause) => {
      if (cause instanceof DroverError) return cause
      const code = codeOf(cause)
      const why = code === undefined ? 'it does not answer' : `it answered ${code}`
      return new DroverError(isBusy(code) ? 'busy' : 'broken', `Cannot ask cluster "${name}": ${why}`, { cause })
    },
  })
}

/** An API server says 429 or 503, and when to come again, while it starts, while a new kind is loaded, and under load. */
const isBusy = (code: number | undefined) => code === 429 || code === 503

/** The HTTP status that an error of the library stands for, if it stands for one; an abort has a small code of its own. */
export function codeOf(error: unknown): number | undefined {
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown }
  return [code, statusCode].find((one) => typeof one === 'number' && one >= 100) as number | undefined
}

async function load(config: AccessConfig, context: string): Promise<KubeConfig> {
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
  return tuned(given, context)
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
function tuned(config: KubeConfig, context: string): KubeConfig {
  // Its own reader of token files keeps a token for a minute after it was replaced, and sends its line end along.
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
  config.applySecurityAuthentication = (request) => {
    request.setSignal(AbortSignal.timeout(patience))
    return apply(request)
  }
  return config
}

interface Library {
  createDispatcher(...options: unknown[]): unknown
}
