import { Agent, createServer, type Server, request as send } from 'node:http'
import type { Tamper } from '../../local/functions.ts'
import { listenAt } from '../../local/listen.ts'
import type { FunctionName } from '../../shared/lifecycles.ts'

/** The way to a function, where a test can let a delivery fail before the function sees it. */
export interface Door {
  url: string
  /** Deliveries that have no answer yet. */
  pending(): number
  /** Brings what comes from then on to another port. */
  leadTo(port: number): void
  close(): void
}

export async function openDoor(name: FunctionName, first: number, tamper: Tamper): Promise<Door> {
  let port = first
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY })
  let pending = 0
  const server: Server = createServer((request, response) => {
    pending += 1
    response.once('close', () => {
      pending -= 1
    })
    const header = (key: string) => String(request.headers[key] ?? '')
    const status = tamper(name, { id: header('ce-id'), type: header('ce-type'), run: header('ce-runid') })
    if (status !== undefined) return void response.writeHead(status).end()
    const { method, url: path, headers } = request
    const onward = send({ agent, host: '127.0.0.1', port, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.rawHeaders)
      answer.pipe(response)
    })
    onward.once('error', () => response.destroy())
    response.once('close', () => onward.destroy())
    request.pipe(onward)
  })
  const url = `http://127.0.0.1:${await listenAt(server, 0)}`
  return {
    url,
    pending: () => pending,
    leadTo: (other) => {
      port = other
    },
    close: () => {
      server.closeAllConnections()
      server.close()
      agent.destroy()
    },
  }
}
