import type { KubeConfig } from '@kubernetes/client-node'
import { DroverError } from '../errors.ts'

/** Objects of one kind to be watched, in one namespace of one cluster. */
export interface Source {
  kubeConfig: KubeConfig
  group: string
  version: string
  plural: string
  namespace: string
  fieldSelector?: string
  labelSelector?: string
  /** True for a kind that a cluster may not know; then there are none. */
  optional?: boolean
}

interface KubernetesObject {
  metadata: { name: string }
}

interface List {
  metadata: { resourceVersion?: string }
  items: KubernetesObject[]
}

/** How long nothing may change until the watchers are woken all the same, in milliseconds. */
const heartbeat = 1_500
const pauseAfterError = 500
/** How long a cluster that lacks an optional kind is not asked again. */
const pauseWithoutKind = 15_000

/**
 * The objects of several sources as they are now, again after every change, and every 1.5 s when there is none. Broken
 * or expired watches begin anew with a list. It ends without an error when the signal is aborted; sources that cannot
 * even be listed at the start throw.
 */
export async function* watchObjects(
  sources: readonly Source[],
  signal: AbortSignal,
): AsyncGenerator<KubernetesObject[][]> {
  const { Watch, CustomObjectsApi } = await import('@kubernetes/client-node')
  const seen = sources.map(() => new Map<string, KubernetesObject>())
  const bell = createBell()
  const ending = new AbortController()
  const watching: AbortController[] = []
  const stop = () => {
    ending.abort()
    for (const controller of watching) controller?.abort()
  }
  signal.addEventListener('abort', stop)

  const list = async (source: Source): Promise<List> => {
    const { kubeConfig, fieldSelector, labelSelector, optional, ...rest } = source
    const selectors = { ...(fieldSelector ? { fieldSelector } : {}), ...(labelSelector ? { labelSelector } : {}) }
    try {
      return await kubeConfig.makeApiClient(CustomObjectsApi).listNamespacedCustomObject({ ...rest, ...selectors })
    } catch (error) {
      if (optional && (error as { code?: unknown }).code === 404) return { metadata: {}, items: [] }
      throw error
    }
  }
  const fill = async (index: number, source: Source): Promise<string | undefined> => {
    const { items, metadata } = await list(source)
    seen[index] = new Map(items.map((one) => [one.metadata.name, one]))
    return metadata.resourceVersion
  }
  /** One watch, until the server ends it; resolves with whether it ended well. */
  const follow = async (index: number, source: Source, resourceVersion: string): Promise<void> => {
    const { kubeConfig, group, version, plural, namespace, fieldSelector, labelSelector } = source
    const path = `/apis/${group}/${version}/namespaces/${namespace}/${plural}`
    await new Promise<void>((done) => {
      const ended = () => done()
      const noted = (phase: string, object: KubernetesObject) => {
        if (phase === 'ADDED' || phase === 'MODIFIED') seen[index]?.set(object.metadata.name, object)
        if (phase === 'DELETED') seen[index]?.delete(object.metadata.name)
        bell.ring()
      }
      new Watch(kubeConfig)
        .watch(path, { resourceVersion, fieldSelector, labelSelector }, noted, ended)
        .then((controller) => {
          watching[index] = controller
          if (ending.signal.aborted) controller.abort()
        }, ended)
    })
  }
  const keep = async (index: number, source: Source, first: string | undefined): Promise<void> => {
    let resourceVersion = first
    while (!ending.signal.aborted) {
      const began = Date.now()
      if (resourceVersion !== undefined) await follow(index, source, resourceVersion)
      // A server that ends every watch at once must not be asked without a pause.
      else await pause(source.optional ? pauseWithoutKind : pauseAfterError, ending.signal)
      if (Date.now() - began < pauseAfterError) await pause(pauseAfterError, ending.signal)
      if (ending.signal.aborted) return
      resourceVersion = await fill(index, source).catch(() => undefined)
      bell.ring()
    }
  }

  try {
    const listed = Promise.all(sources.map((source, index) => fill(index, source))).catch((cause) => {
      throw new DroverError('broken', 'Cannot read a cluster', { cause })
    })
    const versions = await Promise.race([listed, aborted(signal)])
    if (versions === undefined) return void listed.catch(() => undefined)
    for (const [index, source] of sources.entries()) void keep(index, source, versions[index])
    while (!signal.aborted) {
      yield seen.map((objects) => [...objects.values()])
      await bell.wait(heartbeat, signal)
    }
  } finally {
    signal.removeEventListener('abort', stop)
    stop()
  }
}

/** Resolves when the signal is aborted. */
const aborted = (signal: AbortSignal) =>
  new Promise<undefined>((done) => {
    if (signal.aborted) done(undefined)
    signal.addEventListener('abort', () => done(undefined), { once: true })
  })

/** Resolves after some time, when the signal is aborted, or when what `wakeable` is given is called. */
function pause(milliseconds: number, signal: AbortSignal, wakeable: (wake: () => void) => void = () => {}) {
  return new Promise<void>((done) => {
    if (signal.aborted) return done()
    const finish = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', finish)
      done()
    }
    const timer = setTimeout(finish, milliseconds)
    signal.addEventListener('abort', finish)
    wakeable(finish)
  })
}

/** Wakes who waits, or remembers the ring for who comes next. */
function createBell() {
  let rung = false
  let wake = () => {}
  return {
    ring() {
      rung = true
      wake()
    },
    async wait(milliseconds: number, signal: AbortSignal) {
      if (!rung)
        await pause(milliseconds, signal, (finish) => {
          wake = finish
        })
      rung = false
      wake = () => {}
    },
  }
}
