import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type RequestOptions, request as send } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { KubeConfig } from '@kubernetes/client-node'
import { selfSigned } from '../../../../local/clusters/certificate.ts'

/**
 * A line between a client and an API server, over which a test has power: it is cut, goes silent, or changes what is
 * asked. Tokens are made up: one that is valid becomes the administrator's, any other reaches the server as it is.
 */
export interface Line {
  /** The way through it, as a cluster of a kubeconfig. */
  cluster: { server: string; 'certificate-authority-data': string }
  /** What was asked, in order: by its method or as `watch`. */
  asked: Asked[]
  validTokens: Set<string>
  /** Changes the query of each watch on its way. */
  onWatch: (query: URLSearchParams) => void
  cut(): void
  /** While it is down every connection is refused. */
  down: boolean
  /** Lets nothing more through to who is connected, not even an end, as a router that has forgotten a connection. */
  mute(): void
  close(): Promise<void>
}

interface Asked {
  verb: string
  path: string
  query: URLSearchParams
  status?: number
}

/** Lays a line to the API server that the function names at each request. */
export async function layLine(to: () => KubeConfig): Promise<Line> {
  const { certificate, key } = selfSigned('line')
  const sockets = new Set<Duplex>()
  const mute = new WeakSet<Duplex>()
  const line: Line = {
    cluster: { server: '', 'certificate-authority-data': Buffer.from(certificate).toString('base64') },
    asked: [],
    validTokens: new Set(),
    onWatch: () => undefined,
    cut: () => {
      for (const socket of sockets) socket.destroy()
    },
    down: false,
    mute: () => {
      for (const socket of sockets) mute.add(socket)
    },
    close: async () => {
      line.cut()
      await once(server.close(), 'close')
    },
  }
  const server = createServer({ cert: certificate, key }, (request, response) =>
    pass(line, to(), request, response, () => mute.has(request.socket)),
  )
  server.on('secureConnection', (socket) => {
    if (line.down) return void socket.destroy()
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  line.cluster.server = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  return line
}

async function pass(
  line: Line,
  to: KubeConfig,
  request: IncomingMessage,
  response: ServerResponse,
  isMute: () => boolean,
): Promise<void> {
  const { pathname, searchParams: query } = new URL(request.url ?? '/', 'https://line')
  const verb = query.has('watch') ? 'watch' : (request.method ?? '')
  const asked: Asked = { verb, path: pathname, query: new URLSearchParams(query) }
  line.asked.push(asked)
  if (verb === 'watch') line.onWatch(query)

  const url = `${to.getCurrentCluster()?.server}${pathname}?${query}`
  const options = await optionsFor(line, to, request)
  const onward = send(url, { ...options, method: request.method }, (answer) => {
    asked.status = answer.statusCode ?? 0
    response.writeHead(asked.status, answer.headers).flushHeaders()
    answer.on('data', (chunk) => isMute() || response.write(chunk))
    answer.on('end', () => isMute() || response.end())
    answer.on('error', () => isMute() || response.destroy())
  })
  onward.on('error', () => isMute() || response.destroy())
  response.on('close', () => onward.destroy())
  request.pipe(onward)
}

/** The administrator's way in for a valid token; else the same way with the token as it came and no certificate. */
async function optionsFor(line: Line, to: KubeConfig, request: IncomingMessage): Promise<RequestOptions> {
  const options: RequestOptions = {}
  await to.applyToHTTPSOptions(options)
  const { authorization = '', host: _, ...headers } = request.headers
  const isValid = line.validTokens.has(authorization.replace(/^Bearer /, ''))
  if (isValid) return { ...options, headers: { ...headers, ...(options.headers as object) } }
  return { ca: options.ca, headers: { ...headers, authorization } }
}
