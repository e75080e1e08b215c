import http, { type IncomingMessage } from 'node:http'
import https from 'node:https'
import { pipeline } from 'node:stream/promises'

export interface Asked {
  headers?: Record<string, string>
  body?: string | AsyncIterable<Uint8Array>
}

export interface Answer {
  /** What was asked. */
  url: URL
  status: number
  headers: IncomingMessage['headers']
  text: string
}

/** How long nothing at all may be heard, in milliseconds; a registry may take minutes to put a layer where it belongs. */
const patience = 300_000

/**
 * One request and its answer. Redirects are not followed: they could carry a password elsewhere. Not by `fetch`, which keeps what it
 * has streamed: 500 MB sent were 600 MB of memory.
 */
export function exchange(method: string, url: URL, { headers = {}, body }: Asked = {}): Promise<Answer> {
  const { request } = url.protocol === 'https:' ? https : http
  return new Promise((done, failed) => {
    const outgoing = request(url, { method, headers, timeout: patience }, (response) =>
      textOf(response)
        .then((text) => done({ url, status: response.statusCode ?? 0, headers: response.headers, text }), failed)
        // An answer before all is sent: no more is wanted.
        .finally(() => outgoing.writableEnded || outgoing.destroy()),
    )
    outgoing.on('timeout', () => outgoing.destroy(new Error('timeout')))
    outgoing.on('error', failed)
    if (typeof body === 'object') pipeline(body, outgoing).catch(failed)
    else outgoing.end(body)
  })
}

/** What an answer may have at most: more than any manifest. */
const limit = 4 << 20

async function textOf(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of response as AsyncIterable<Buffer>) {
    size += part.length
    if (size > limit) throw new Error(`an answer has more than ${limit} bytes`)
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}
