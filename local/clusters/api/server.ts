import { createSecureServer } from 'node:http2'
import type { Socket } from 'node:net'
import { ApiError, statusOf } from '../api-error.ts'
import type { Faults } from '../faults.ts'
import type { Store } from '../store.ts'
import { accessReviews, reviewAccess } from './access-review.ts'
import { discover } from './discovery.ts'
import { describe } from './openapi.ts'
import { getOne, listOf, toList } from './read.ts'
import { type ApiRequest, type ApiResponse, wantsTable } from './request.ts'
import { routeOf, type Target } from './route.ts'
import { tableOf } from './table.ts'
import { watch } from './watch.ts'
import { create, patch, remove, removeAll, replace } from './write.ts'

interface Settings {
  cluster: string
  store: Store
  kubevirt: string
  faults: Faults
  token: string
  certificate: string
  key: string
  port?: number | undefined
  onError: (error: unknown) => void
}

/** Node would end the connection of a client that ends a thousand watches in a short time, and of one that says nothing for 5 s. */
const patient = { streamResetBurst: 1_000_000, streamResetRate: 1_000_000, keepAliveTimeout: 60_000 }

/** Serves a cluster's API on loopback, to those who have the token; `close` ends it and all of its watches. */
export async function serveApi(settings: Settings): Promise<{ port: number; close(): Promise<void> }> {
  const { certificate: cert, key, port = 0 } = settings
  // As API servers do: who speaks HTTP/2 has one connection for a hundred watches, and may end as many of them as they like.
  const server = createSecureServer(
    { cert, key, allowHTTP1: true, ...patient },
    (request, response) => void answer(settings, request, response),
  )
  const connections = new Set<Socket>()
  let isClosing = false
  server.on('secureConnection', (socket) => {
    if (isClosing) socket.destroy()
    connections.add(socket)
    socket.once('close', () => connections.delete(socket))
  })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', (cause) =>
    reject(new Error(`Cannot serve cluster ${settings.cluster} on port ${port}: ${cause.message}`, { cause })),
  )
  server.listen(port, '127.0.0.1', resolve)
  await promise
  const address = server.address()
  const close = () =>
    new Promise<void>((resolve) => {
      isClosing = true
      server.close(() => resolve())
      for (const one of connections) one.destroy()
    })
  return { port: typeof address === 'object' && address ? address.port : port, close }
}

async function answer(settings: Settings, request: ApiRequest, response: ApiResponse): Promise<void> {
  try {
    if (request.headers.authorization !== `Bearer ${settings.token}`)
      throw new ApiError(401, 'Unauthorized', 'Unauthorized')
    await route(settings, request, response)
  } catch (error) {
    if (response.headersSent) {
      response.destroy()
      return
    }
    if (!(error instanceof ApiError)) settings.onError(error)
    const known = error instanceof ApiError ? error : new ApiError(500, 'InternalError', 'Internal error occurred')
    json(response, known.status, statusOf(known))
  }
}

async function route(settings: Settings, request: ApiRequest, response: ApiResponse): Promise<void> {
  const { store } = settings
  const { url = '/' } = request
  const { pathname, searchParams: query } = new URL(URL.canParse(url, 'https://cluster') ? url : '/', 'https://cluster')
  if (/^\/(healthz|livez|readyz)$/.test(pathname))
    return void response.writeHead(200, { 'content-type': 'text/plain' }).end('ok')
  const found =
    request.method === 'GET' &&
    (discover(pathname.replace(/\/$/, ''), store.kinds) ?? describe(pathname, store, settings.kubevirt))
  if (found) return json(response, 200, found)
  if (request.method === 'POST' && pathname === accessReviews)
    return json(response, 201, await reviewAccess(store, request))
  const target = routeOf(pathname, store.kinds)
  if (!target)
    return void response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' }).end('404 page not found\n')
  failIfFaulty(settings, target, query)
  if (request.method === 'GET') return get(store, target, query, request, response)
  const { code, object } = await change(store, target, query, request)
  json(response, code, object)
}

function get(store: Store, target: Target, query: URLSearchParams, request: ApiRequest, response: ApiResponse) {
  if (['true', '1'].includes(query.get('watch') ?? '')) return watch(store, target, query, request, response)
  const { kind, name } = target
  if (name !== undefined) {
    const object = getOne(store, target)
    return json(response, 200, wantsTable(request) ? tableOf(kind, [object]) : object)
  }
  const page = listOf(store, target, query)
  json(
    response,
    200,
    wantsTable(request) ? { ...tableOf(kind, page.items), metadata: page.metadata } : toList(target, page),
  )
}

function change(store: Store, target: Target, query: URLSearchParams, request: ApiRequest) {
  const { name } = target
  switch (request.method) {
    case 'POST':
      if (name === undefined) return create(store, target, query, request)
      break
    case 'PUT':
      if (name !== undefined) return replace(store, target, query, request)
      break
    case 'PATCH':
      if (name !== undefined) return patch(store, target, query, request)
      break
    case 'DELETE':
      return name === undefined ? removeAll(store, target, query, request) : remove(store, target, query, request)
  }
  throw new ApiError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource')
}

/** Answers 500 where a fault says so, for requests that name the object in their path or by a field selector. */
function failIfFaulty(
  { faults, cluster, store }: Settings,
  { kind, namespace = '', name }: Target,
  query: URLSearchParams,
): void {
  const named = name ?? /metadata\.name=([^,]+)/.exec(query.get('fieldSelector') ?? '')?.[1]
  if (named === undefined) return
  const object = store.get(kind.kind, namespace, named)
  if (!faults.failsRequest(cluster, { kind: kind.kind, namespace, name: named }, object)) return
  throw new ApiError(500, 'InternalError', 'Internal error occurred: etcdserver: request timed out')
}

function json(response: ApiResponse, code: number, body: unknown): void {
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
