import { setTimeout as sleep } from 'node:timers/promises'
import type { CustomObjectsApi, KubeConfig } from '@kubernetes/client-node'
import { DroverError } from '../errors.ts'
import { retries } from '../telemetry/metrics.ts'
import { outside } from '../telemetry/outside.ts'
import { type KubeconfigSettings, loadContext } from './kubeconfig.ts'

/**
 * The ways to the hub and to the managed clusters. A kubeconfig has a context for each; in a cluster, the hub may be
 * left out of it, and is then the cluster that the Pod runs in. Credentials are rotated while we run.
 */

/** A way to one cluster. */
export interface Access {
  /**
   * Does something there, which a few words name; once more with everything read anew where the answer is 401, and some
   * times where it is busy.
   */
  use<T>(what: string, act: (config: KubeConfig) => Promise<T>): Promise<T>
  /** What to say of something that failed there: the cause is only logged. */
  failure(cause: unknown): DroverError
  /** Says in the log what nobody is told in an answer; nothing where there is no log. */
  warn?(fields: object, message: string): void
}

/** The ways to the managed clusters, each by its name. */
export type Context = (name: string) => Access

/** The way to the hub, and where Argo CD is there. */
export interface ArgoHub {
  access: Access
  argocdNamespace: string
}

/** How long a kubeconfig is not read again, in milliseconds. */
const freshFor = 60_000

/** How often a busy cluster is asked again, and after how many milliseconds: it wants a second or more. */
const busyAttempts = 4
const busyPause = 1_000

export interface AccessConfig extends KubeconfigSettings {
  log?: { warn(fields: object, message: string): void }
}

/** Opens the way to any context by its name; a kubeconfig is read at the first use, and the library loaded then. */
export function openAccess(config: AccessConfig): Context {
  const contexts = new Map<string, { loading: Promise<KubeConfig>; since: number }>()
  const loaded = (name: string): Promise<KubeConfig> => {
    const known = contexts.get(name)
    if (known && Date.now() - known.since < freshFor) return known.loading
    const loading = loadContext(config, name)
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
  const persist = async <T>(name: string, act: (config: KubeConfig) => Promise<T>): Promise<T> => {
    let renewals = 1
    for (let waits = busyAttempts; ; ) {
      try {
        return await attempt(name, act)
      } catch (error) {
        const code = codeOf(error)
        if (code === 401 && renewals-- > 0) continue
        if (!isBusy(code) || waits-- === 0) throw error
        retries.inc({ of: 'request' })
        await sleep(busyPause)
      }
    }
  }
  const toCluster = (name: string): Access => ({
    use: (what, act) => {
      // How long a watch lasts says nothing of how fast a cluster answers.
      const to = what.startsWith('watch ') ? 'kubernetes watch' : 'kubernetes'
      return outside({ to, what: what.replace(/^watch /, ''), cluster: name }, () => persist(name, act))
    },
    failure: (cause) => {
      if (cause instanceof DroverError) return cause
      const code = codeOf(cause)
      const why = code === undefined ? 'it does not answer' : `it answered ${code}`
      return new DroverError(isBusy(code) ? 'busy' : 'broken', `Cannot ask cluster "${name}": ${why}`, { cause })
    },
    warn: (fields, message) => config.log?.warn({ cluster: name, ...fields }, message),
  })
  // One for each cluster, for what is remembered of it.
  const known = new Map<string, Access>()
  return (name) => {
    const access = known.get(name) ?? toCluster(name)
    known.set(name, access)
    return access
  }
}

/** An API server says 429 or 503, and when to come again, while it starts, while a new kind is loaded, and under load. */
const isBusy = (code: number | undefined) => code === 429 || code === 503

/** The HTTP status that an error of the library stands for, if it stands for one; an abort has a small code of its own. */
export function codeOf(error: unknown): number | undefined {
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown }
  return [code, statusCode].find((one) => typeof one === 'number' && one >= 100) as number | undefined
}

/** What a cluster answers, undefined for 404; what else fails is broken. */
export async function answerOf<T>(
  access: Access,
  what: string,
  act: (config: KubeConfig) => Promise<T>,
): Promise<T | undefined> {
  try {
    return await access.use(what, act)
  } catch (error) {
    if (codeOf(error) === 404) return undefined
    throw access.failure(error)
  }
}

/** The same of objects that Kubernetes itself does not know. */
export async function ask(
  access: Access,
  what: string,
  request: (api: CustomObjectsApi) => Promise<unknown>,
): Promise<unknown> {
  const { CustomObjectsApi } = await import('@kubernetes/client-node')
  return answerOf(access, what, (config) => request(config.makeApiClient(CustomObjectsApi)))
}

/** One of them by its name. */
export async function getObject<T>(
  access: Access,
  what: { group: string; version: string; plural: string; namespace: string; name: string },
): Promise<T | undefined> {
  return (await ask(access, `get ${what.plural}`, (api) => api.getNamespacedCustomObject(what))) as T | undefined
}

/** One that is in no namespace. */
export async function getClusterObject<T>(
  access: Access,
  what: { group: string; version: string; plural: string; name: string },
): Promise<T | undefined> {
  return (await ask(access, `get ${what.plural}`, (api) => api.getClusterCustomObject(what))) as T | undefined
}
