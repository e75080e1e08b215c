import { ApiError, statusOf } from '../api-error.ts'
import type { Change } from '../history.ts'
import { apiVersionOf } from '../kinds.ts'
import type { KubeObject } from '../object.ts'
import type { Test } from '../selector.ts'
import type { Store } from '../store.ts'
import { testOf } from './read.ts'
import { type ApiRequest, type ApiResponse, wantsTable } from './request.ts'
import type { Target } from './route.ts'
import { tableOf } from './table.ts'

const bookmarkEvery = 60_000

/** Streams what happens to a kind, from a resourceVersion on or beginning with all that is there. */
export function watch(
  store: Store,
  target: Target,
  query: URLSearchParams,
  request: ApiRequest,
  response: ApiResponse,
): void {
  const test = testOf(target, query)
  const show = wantsTable(request)
    ? (object: KubeObject) => tableOf(target.kind, [object])
    : (object: KubeObject) => object
  const send = (type: string, object: unknown) => response.write(`${JSON.stringify({ type, object })}\n`)
  const bookmark = (annotations?: Record<string, string>) => {
    const metadata = {
      resourceVersion: String(store.version),
      creationTimestamp: null,
      ...(annotations && { annotations }),
    }
    send('BOOKMARK', { kind: target.kind.kind, apiVersion: apiVersionOf(target.kind), metadata })
  }
  response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-cache, private' }).flushHeaders?.()

  const version = Number(query.get('resourceVersion') ?? 0)
  const bookmarks = query.get('allowWatchBookmarks') === 'true'
  const initial = query.get('sendInitialEvents') === 'true'
  try {
    if (initial || !version)
      for (const object of store.list(target.kind.kind, target.namespace).filter(test)) send('ADDED', show(object))
    else for (const change of store.since(version)) pass(change)
  } catch (error) {
    send('ERROR', statusOf(error instanceof ApiError ? error : new ApiError(500, 'InternalError', String(error))))
    response.end()
    return
  }
  if (initial && bookmarks) bookmark({ 'k8s.io/initial-events-end': 'true' })

  function pass(change: Change): void {
    const type = change.kind === target.kind && typeFor(change, test)
    if (type) send(type, show(change.object))
  }

  const stop = store.subscribe(pass)
  const beat = setInterval(() => bookmarks && bookmark(), bookmarkEvery)
  const seconds = Number(query.get('timeoutSeconds') ?? 0) || 1800
  const end = setTimeout(() => {
    if (bookmarks) bookmark()
    response.end()
  }, seconds * 1000)
  response.on('close', () => {
    stop()
    clearInterval(beat)
    clearTimeout(end)
  })
}

/** What a change is for a watch with a selector: an object may begin to fit, or cease to. */
function typeFor({ type, object, previous }: Change, test: Test): Change['type'] | undefined {
  const before = previous !== undefined && test(previous)
  const now = type !== 'DELETED' && test(object)
  if (now) return before ? 'MODIFIED' : 'ADDED'
  return before ? 'DELETED' : undefined
}
