import type { KubeConfig } from '@kubernetes/client-node'
import { type Access, codeOf } from './access.ts'
import { createBell, pause } from './bell.ts'

/** Objects of one kind to be watched, in one namespace of one cluster. */
export interface Source {
  access: Access
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
  metadata: { name: string; resourceVersion?: string }
}

interface List {
  metadata: { resourceVersion?: string }
  items: KubernetesObject[]
}

/** The objects of all sources, in the order of these. */
export interface Look {
  objects: KubernetesObject[][]
  /** True while some of them cannot be asked: then this is how they were. */
  isStale: boolean
}

/** How long nothing may change until the watchers are woken all the same, in milliseconds. */
const heartbeat = 1_500
const pauseAfterError = 500
/** How long a cluster that lacks an optional kind is not asked again. */
const pauseWithoutKind = 15_000
/** A line that is cut once is nothing to tell of: the next watch goes on where it was. */
const failuresToTell = 2
/** How long one watch lasts: below the 30 s after which the library cuts it, so that the server sends a bookmark first. */
const watchSeconds = 25

/**
 * The objects of several sources as they are now, again after every change, and every 1.5 s when there is none. A watch
 * that was cut goes on where it was; one that the server has forgotten begins anew with a list. Who waits for something to last
 * is told when a cluster cannot be asked. It ends without an error
 * when the signal is aborted, but not before one look where that can be had soon: whoever gives up then can say what it
 * saw. Sources that cannot even be listed at the start throw.
 */
export async function* watchObjects(sources: readonly Source[], signal: AbortSignal): AsyncGenerator<Look> {
  const bell = createBell()
  const ending = new AbortController()
  const end = () => ending.abort()
  signal.addEventListener('abort', end)
  const views = sources.map((source) => createView(source, bell.ring, ending.signal))
  let beginning: NodeJS.Immediate | undefined
  let lastLook: NodeJS.Timeout | undefined
  try {
    const soon = () =>
      new Promise<void>((done) => {
        lastLook = setTimeout(done, lastLookMilliseconds)
      })
    const listed = Promise.all(views.map((view) => view.list()))
    const isListed = await Promise.race([listed.then(() => true), aborted(signal).then(soon)])
    if (!isListed) return void listed.catch(() => undefined)
    // Whoever sees enough at once needs no watch; the others miss nothing, for it goes on from the list.
    beginning = setImmediate(() => views.forEach((view) => void view.keep()))
    do {
      yield { objects: views.map((view) => view.objects()), isStale: views.some((view) => view.isStale()) }
      await bell.wait(heartbeat, signal)
    } while (!signal.aborted)
  } finally {
    clearImmediate(beginning)
    clearTimeout(lastLook)
    signal.removeEventListener('abort', end)
    end()
  }
}

/** How often in a row a watch, or the list in its stead, has come to nothing. */
interface Silence {
  failures: number
}

/** Every delivery that waits watches anew: what a cluster does not answer is remembered for all of them. */
const silences = new WeakMap<Access, Map<string, Silence>>()

function silenceOf(access: Access, what: string): Silence {
  const ofCluster = silences.get(access) ?? new Map<string, Silence>()
  silences.set(access, ofCluster)
  const silence = ofCluster.get(what) ?? { failures: 0 }
  ofCluster.set(what, silence)
  return silence
}

/** The objects of one source, kept up to date until the signal is aborted. */
function createView(source: Source, changed: () => void, signal: AbortSignal) {
  const { access, optional, namespace, group, version, plural, fieldSelector, labelSelector } = source
  const selectors = { ...(fieldSelector ? { fieldSelector } : {}), ...(labelSelector ? { labelSelector } : {}) }
  let objects = new Map<string, KubernetesObject>()
  /** From where a watch can go on; undefined where only a list helps. */
  let position: string | undefined
  let isUnknown = false
  /** The last try to reach the cluster came to nothing. */
  let isStale = false
  const silence = silenceOf(access, `${namespace}/${plural}`)
  let watching: AbortController | undefined
  signal.addEventListener('abort', () => watching?.abort(), { once: true })

  async function list(): Promise<void> {
    const { CustomObjectsApi } = await import('@kubernetes/client-node')
    const what = { group, version, plural, namespace, ...selectors }
    const answer = access.use(`list ${plural}`, (config) =>
      config.makeApiClient(CustomObjectsApi).listNamespacedCustomObject(what),
    )
    const found = await (answer as Promise<List>).catch((error) => {
      if (optional && codeOf(error) === 404) return undefined
      throw access.failure(error)
    })
    isUnknown = found === undefined
    isStale = false
    objects = new Map(found?.items.map((one) => [one.metadata.name, one]))
    position = found?.metadata.resourceVersion
  }

  /** Says once in the log that nothing can be seen any more, and once that it can again. */
  function failed(error: unknown): void {
    // Who has seen enough ends what it watches, and so does a position that the server has forgotten.
    if (signal.aborted || (error as Error).name === 'AbortError') return
    silence.failures += 1
    if (silence.failures !== failuresToTell) return
    const failure = access.failure(error)
    access.warn?.({ watched: plural, err: failure }, failure.message)
  }
  function answered(): void {
    if (silence.failures >= failuresToTell) access.warn?.({ watched: plural }, 'The cluster can be watched again')
    silence.failures = 0
  }

  function note(phase: string, object: KubernetesObject): void {
    if (position === undefined) return
    if (phase === 'ERROR') {
      // In most cases 410: the server has forgotten what came after our position.
      position = undefined
      watching?.abort()
      return
    }
    if (phase === 'ADDED' || phase === 'MODIFIED') objects.set(object.metadata.name, object)
    if (phase === 'DELETED') objects.delete(object.metadata.name)
    // A bookmark is a position and nothing else.
    position = object.metadata.resourceVersion ?? position
    if (phase !== 'BOOKMARK') changed()
  }

  /** One watch, until it ends for whatever reason. */
  async function follow(): Promise<void> {
    const { Watch } = await import('@kubernetes/client-node')
    const path = `/apis/${group}/${version}/namespaces/${namespace}/${plural}`
    const query = { resourceVersion: position, allowWatchBookmarks: true, timeoutSeconds: watchSeconds, ...selectors }
    const once = (config: KubeConfig) =>
      new Promise<void>((done, fail) => {
        let isOver = false
        const ended = (error: unknown) => {
          isOver = true
          if (error) fail(error)
          else done()
        }
        // It resolves when the server has answered, or has not.
        new Watch(config).watch(path, query, note, ended).then((controller) => {
          watching = controller
          if (!isOver) {
            isStale = false
            answered()
          }
          if (signal.aborted) controller.abort()
        }, fail)
      })
    await access.use(`watch ${plural}`, once).catch((error) => {
      failed(error)
      // A cut line has no status, and leaves the position as it is; what the server refuses is listed anew.
      if (codeOf(error) !== undefined) position = undefined
      else isStale = true
    })
  }

  const lose = (error: unknown) => {
    isStale = true
    failed(error)
  }

  async function keep(): Promise<void> {
    while (!signal.aborted) {
      const began = Date.now()
      if (position !== undefined) await follow()
      else if (isUnknown) await pause(pauseWithoutKind, signal)
      // A server that ends every watch at once must not be asked without a pause.
      if (Date.now() - began < pauseAfterError) await pause(pauseAfterError, signal)
      if (position === undefined && !signal.aborted) await list().then(changed, lose)
    }
  }

  return { list, keep, objects: () => [...objects.values()], isStale: () => isStale }
}

/** How long the first look may take once nobody wants a second one. */
const lastLookMilliseconds = 3_000

/** Resolves when the signal is aborted. */
const aborted = (signal: AbortSignal) =>
  new Promise<undefined>((done) => {
    if (signal.aborted) done(undefined)
    signal.addEventListener('abort', () => done(undefined), { once: true })
  })
