import { EventEmitter } from 'node:events'
import { createServer } from 'node:http'
import type { RunData } from '../shared/run.ts'
import type { Accepted } from './broker/broker.ts'
import type { CloudEvent } from './broker/event.ts'
import { toJson } from './broker/http-form.ts'
import { listenAt } from './listen.ts'

/** One event as the Broker accepted it, with when it did. */
export interface Seen {
  id: string
  type: string
  source: string
  subject: string | undefined
  run: string | undefined
  at: number
  data: Partial<RunData>
  /** The event in structured form. */
  json: string
}

const remembered = 2_000

/** Every event that the Broker accepts: for listeners here, and as server-sent events at a loopback port. */
export class Feed {
  readonly seen: Seen[] = []
  readonly #emitter = new EventEmitter().setMaxListeners(0)
  readonly #server = createServer()
  url = ''

  /** Notes an event and tells everybody. */
  note({ event }: Accepted): void {
    const { id = '', type = '', source = '', subject, runid } = event.attributes as Record<string, string>
    const seen: Seen = {
      id,
      type,
      source,
      subject,
      run: runid,
      at: performance.now(),
      ...read(event),
    }
    this.seen.push(seen)
    if (this.seen.length > remembered) this.seen.shift()
    this.#emitter.emit('event', seen)
  }

  /** Calls back for each event from now on; answers how to stop. */
  listen(listener: (seen: Seen) => void): () => void {
    this.#emitter.on('event', listener)
    return () => this.#emitter.off('event', listener)
  }

  /** The first event that fits, among those seen and those to come. */
  async first(fits: (seen: Seen) => boolean): Promise<Seen> {
    const found = this.seen.find(fits)
    if (found) return found
    return new Promise((done) => {
      const stop = this.listen((seen) => {
        if (!fits(seen)) return
        stop()
        done(seen)
      })
    })
  }

  /** Serves the stream: what is remembered, from after Last-Event-ID where one is given, and then what comes. */
  async serve(port: number): Promise<void> {
    this.#server.on('request', (request, response) => {
      response.writeHead(200, {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        'access-control-allow-origin': '*',
      })
      const send = ({ id, type, json }: Seen) =>
        response.write(`id: ${plain(id)}\nevent: ${plain(type)}\ndata: ${json}\n\n`)
      const last = this.seen.findIndex(({ id }) => id === request.headers['last-event-id'])
      for (const one of this.seen.slice(last + 1)) send(one)
      response.on('close', this.listen(send))
    })
    this.url = `http://127.0.0.1:${await listenAt(this.#server, port)}/events`
  }

  async close(): Promise<void> {
    await new Promise((done) => {
      this.#server.close(done)
      this.#server.closeAllConnections()
    })
  }
}

/** A line break in an attribute must not look like another field of the stream. */
const plain = (text: string) => text.replace(/\p{Cc}+/gu, ' ')

/** What an event says of its run, and the event as one line of JSON, whatever its data is. */
function read(event: CloudEvent): Pick<Seen, 'data' | 'json'> {
  const attributes = toJson({ ...event, data: Buffer.alloc(0) })
  if (event.data.length === 0) return { data: {}, json: attributes }
  const text = event.data.toString('utf8')
  const { isJson, value } = parsed(text)
  // Between the tokens of JSON a line break is a space, within a string there is none; what only claims to be JSON becomes a string.
  const data = isJson ? text.replace(/[\r\n]+/g, ' ') : JSON.stringify(text)
  return { data: dataOf(value), json: `${attributes.slice(0, -1)},"data":${data}}` }
}

function parsed(text: string): { isJson: boolean; value?: unknown } {
  try {
    return { isJson: true, value: JSON.parse(text) }
  } catch {
    return { isJson: false }
  }
}

const dataOf = (value: unknown): Partial<RunData> =>
  typeof value === 'object' && value !== null ? (value as Partial<RunData>) : {}

/** What an event says of its run; a request may hold anything. */
export const readData = (data: Buffer): Partial<RunData> => dataOf(parsed(data.toString('utf8')).value)
