import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { registry } from '../telemetry/metrics.ts'

/**
 * `/metrics`: one page with what Drover measures and what the runtime says of its process. The runtime keeps its own
 * numbers to itself, so its page is asked for as a client would, but without a connection.
 */
export type Page = (response: ServerResponse) => Promise<void>

/** The page of a server whose runtime answers by this listener. */
export function metricsPage(runtime: RequestListener): Page {
  return async (response) => {
    try {
      const { default: inject } = await import('light-my-request')
      const { payload } = await inject(runtime, { method: 'GET', url: '/metrics' })
      const page = `${await registry.metrics()}${payload}`
      response.writeHead(200, { 'content-type': registry.contentType }).end(page)
    } catch {
      // Nobody waits for a page of numbers so much that the function should end for it.
      response.writeHead(500).end()
    }
  }
}

export const isMetrics = ({ method, url }: IncomingMessage): boolean => method === 'GET' && url === '/metrics'

/**
 * Serves the page alone, on a port of its own: whoever may read it there may not post events, which is what a network
 * policy for the functions' own port would allow.
 */
export function serveMetrics(page: Page, port: number): Promise<Server> {
  const server = createServer((request, response) => {
    if (isMetrics(request)) void page(response)
    else response.writeHead(404).end()
  })
  return new Promise((done, fail) => {
    server.once('error', fail)
    server.listen(port, '::', () => done(server))
  })
}
