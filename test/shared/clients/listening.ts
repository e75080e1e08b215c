import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

export interface Asked {
  method: string
  path: string
  headers: IncomingHttpHeaders
  body: string
}

/** What a server answers; 'nothing' closes the connection without an answer. */
export type Answers = (asked: Asked) => { status: number; headers?: Record<string, string>; body?: unknown } | 'nothing'

/** An HTTP server on a free port of this machine, with what it was asked. */
export async function listening(answers: Answers) {
  const asked: Asked[] = []
  const listener: RequestListener = async (request, response) => {
    const { method = '', url: path = '', headers } = request
    const one = { method, path, headers, body: await text(request) }
    asked.push(one)
    const answer = answers(one)
    if (answer === 'nothing') request.socket.destroy()
    else
      response
        .writeHead(answer.status, answer.headers)
        .end(answer.body === undefined ? '' : JSON.stringify(answer.body))
  }
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = async () => {
    server.closeAllConnections()
    await once(server.close(), 'close')
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, close }
}
