import { createServer, request as forward, type IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { listenAt } from '../../../../local/listen.ts'

export interface HttpProxy {
  /** Its address, without credentials. */
  host: string
  /** What it was asked for: the method, the host or the address, and the headers. */
  asked: { method: string; target: string; headers: IncomingMessage['headers'] }[]
}

/**
 * An HTTP proxy that lets only `login` through, to hosts that nobody else knows; closed with the test. It can be told to
 * answer with a status instead.
 */
export async function startProxy(login: string, hosts: Record<string, number>, status?: number): Promise<HttpProxy> {
  const asked: HttpProxy['asked'] = []
  const open = new Set<Socket>()
  const judge = ({ method = '', url: target = '', headers }: IncomingMessage): number => {
    asked.push({ method, target, headers })
    const wanted = `Basic ${Buffer.from(login).toString('base64')}`
    return headers['proxy-authorization'] === wanted ? (status ?? 200) : 407
  }
  const server = createServer((request, response) => {
    const answer = judge(request)
    if (answer !== 200) return void response.writeHead(answer, challenge).end()
    const { hostname, pathname, search } = new URL(request.url ?? '')
    const { 'proxy-authorization': _, ...headers } = request.headers
    const options = {
      port: hosts[hostname],
      host: '127.0.0.1',
      method: request.method,
      path: pathname + search,
      headers,
    }
    const far = forward(options, (answered) => {
      response.writeHead(answered.statusCode ?? 502, answered.headers)
      answered.pipe(response)
    })
    far.on('error', () => response.destroy())
    request.pipe(far)
  })
  server.on('connect', (request: IncomingMessage, client: Socket) => {
    const answer = judge(request)
    client.on('error', () => undefined)
    if (answer !== 200) {
      const head = ['proxy-authenticate: Basic realm="proxy"', 'connection: close', 'content-length: 0']
      client.end(`HTTP/1.1 ${answer} No\r\n${head.join('\r\n')}\r\n\r\n`)
      return
    }
    const far = connect(hosts[new URL(`http://${request.url}`).hostname] ?? 1, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connected\r\n\r\n')
      far.pipe(client)
      client.pipe(far)
    })
    open.add(client).add(far)
    far.on('error', () => client.destroy())
  })
  const port = await listenAt(server, 0)
  onTestFinished(async () => {
    for (const socket of open) socket.destroy()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return { host: `127.0.0.1:${port}`, asked }
}

const challenge = { 'proxy-authenticate': 'Basic realm="proxy"' }
