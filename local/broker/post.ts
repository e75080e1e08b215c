import { type Agent, type IncomingMessage, request } from 'node:http'
import { type Headers, readHeaders, writeHeaders } from './http-form.ts'

/** What came back. `isWhole` is false when the connection broke inside the body. */
export interface Answer {
  status: number
  headers: Headers
  body: Buffer
  isWhole: boolean
}

export interface Message {
  headers: Headers
  body: Buffer
}

/** POSTs a message and follows redirects as Go's client does; throws when there is no answer. */
export async function post(address: string, message: Message, agent: Agent, signal: AbortSignal): Promise<Answer> {
  let url = new URL(address)
  let method = 'POST'
  let sent = message
  for (let requests = 1; ; requests++) {
    const answer = await send(url, method, sent, agent, signal)
    const { location } = answer.headers
    if (!location || ![301, 302, 303, 307, 308].includes(answer.status)) return answer
    if (requests === 10) throw new Error(`Cannot reach ${address}: it redirects more than 10 times`)
    url = new URL(location, url)
    if (answer.status < 307) [method, sent] = ['GET', withoutBody(sent)]
  }
}

function withoutBody({ headers: { 'content-type': _, ...headers } }: Message): Message {
  return { headers, body: Buffer.alloc(0) }
}

function send(
  url: URL,
  method: string,
  { headers, body }: Message,
  agent: Agent,
  signal: AbortSignal,
): Promise<Answer> {
  const length = method === 'GET' ? {} : { 'content-length': body.length }
  return new Promise((resolve, reject) => {
    const options = { method, headers: { ...writeHeaders(headers), ...length }, agent, signal, maxHeaderSize: 1 << 20 }
    const outgoing = request(url, options, (response) => {
      // From here on the answer says itself when the connection breaks.
      outgoing.off('error', reject).on('error', () => undefined)
      readAnswer(response).then(resolve, reject)
    })
    outgoing.once('error', reject).end(body)
  })
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const status = response.statusCode ?? 0
  const headers = readHeaders(response.headersDistinct)
  const chunks: Buffer[] = []
  try {
    for await (const chunk of response) chunks.push(chunk as Buffer)
    return { status, headers, body: Buffer.concat(chunks), isWhole: true }
  } catch {
    return { status, headers, body: Buffer.concat(chunks), isWhole: false }
  }
}
