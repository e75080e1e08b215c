import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { isMetrics, metricsPage, type Page } from './metrics-page.ts'

/**
 * What faas-js-runtime does not do before it calls a function, done in front of it. The runtime takes query parameters
 * for its own context, answers 500 to events that are no events (so Knative retries what can never succeed), reads form
 * bodies without limit, parses each event twice, and makes up what an event lacks. So it gets raw bytes: the headers that
 * would make it parse are put aside here and taken back in `function.ts`.
 */

/** Where the guard puts the headers that the runtime must not see. */
export const aside = { 'content-type': 'x-drover-content-type', 'ce-id': 'x-drover-ce-id' } as const

/** Where Brokers bring what nobody could handle (`deadLetterSink.uri`), and the header by which the guard says so. */
const deadPath = '/dead'
export const deadHeader = 'x-drover-dead'

/** No event is larger; a request this large still gets a sentence for an answer, not a closed connection. */
export const bodyLimit = 8 * 1024 * 1024

/** How long an answer may take to leave once nobody works on it any more, in milliseconds: some clients do not read. */
const leaving = 5_000

/** The door of a guarded server. */
export interface Door {
  /** Answers with the server's metrics. */
  metrics: Page
  /** Tells clients with each answer from now on that its connection ends. */
  close(): void
  /** Resolves when every request that came has its whole answer, and none comes any more. */
  closed(): Promise<void>
}

/** Puts the guard in front of a server that the runtime has started; `refused` is told of each request that no function sees. */
export function guard(server: Server, refused: (status: number, sentence: string) => void): Door {
  const inner = server.listeners('request') as ((request: IncomingMessage, response: ServerResponse) => void)[]
  const runtime = (request: IncomingMessage, response: ServerResponse) => {
    for (const listener of inner) listener(request, response)
  }
  const metrics = metricsPage(runtime)
  const open = new Set<ServerResponse>()
  let closing = false
  server.removeAllListeners('request')
  server.on('request', (request, response) => {
    open.add(response)
    const refusal = refuse(request)
    response.once('close', () => {
      open.delete(response)
      if (refusal) refused(...refusal)
      // What does not say how long it is, the runtime measures.
      else if (response.statusCode === 413) refused(413, tooLong)
    })
    if (closing) response.shouldKeepAlive = false
    if (refusal) return answer(request, response, ...refusal)
    if (isMetrics(request)) return void metrics(response)
    runtime(request, response)
  })
  // The runtime sets no limits: whoever sends a byte a minute would hold a connection for ever.
  server.requestTimeout = 30_000
  server.headersTimeout = 10_000

  const empty = async (until: number) => {
    while (open.size > 0 && Date.now() < until) await sleep(10)
  }
  return {
    metrics,
    close() {
      closing = true
      for (const response of open) response.shouldKeepAlive = false
    },
    async closed() {
      const until = Date.now() + leaving
      await empty(until)
      server.close()
      // What was on its way in already.
      await sleep(50)
      await empty(until)
    },
  }
}

const sleep = (milliseconds: number) => new Promise((done) => setTimeout(done, milliseconds))

/** Events come by POST, probes and numbers go by GET. Of every other method the runtime would read the body first, without limit if it is a form. */
const methods = ['GET', 'HEAD', 'POST']

const tooLong = `Cannot read the event: it is longer than ${bodyLimit} bytes`

/** What the runtime's router would cut off as a query and put over what it hands to the function, even `method` and `headers`. */
const query = /[?;#]/

/** Status and sentence for a request that no function needs to see; undefined when it may pass, made harmless. */
function refuse(request: IncomingMessage): [number, string] | undefined {
  if (!methods.includes(request.method ?? '')) return [405, 'Cannot answer: wanted a POST of a CloudEvent']
  if (Number(request.headers['content-length'] ?? 0) > bodyLimit) return [413, tooLong]
  const { url = '' } = request
  if (query.test(url)) return [400, 'Cannot take the event: its address has a query, wanted none']
  // As a proxy is asked (`POST http://host/`), or for no path at all (`*`).
  if (!url.startsWith('/')) return [400, 'Cannot take the event: its address is no path']
  // No body of these is ever read.
  if (request.method !== 'POST') return undefined
  delete request.headers[deadHeader]
  if (url === deadPath) {
    request.headers[deadHeader] = 'true'
    request.url = '/'
  }
  for (const [name, other] of Object.entries(aside)) {
    const value = request.headers[name]
    delete request.headers[other]
    if (typeof value === 'string') request.headers[other] = value
    delete request.headers[name]
  }
  // With this type the runtime hands over the body as bytes, within its limit, which counts what comes unannounced too.
  request.headers['content-type'] = 'application/octet-stream'
  return undefined
}

function answer(request: IncomingMessage, response: ServerResponse, status: number, sentence: string): void {
  request.resume()
  const allow = status === 405 ? { allow: methods.join(', ') } : {}
  response
    .writeHead(status, { 'content-type': 'text/plain; charset=utf-8', connection: 'close', ...allow })
    .end(sentence)
}
