import type { IncomingMessage, ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { type CloudEvent, Malformed, refusal } from './event.ts'
import { fitsHeaders, type Headers, readEvent, readHeaders } from './http-form.ts'

/** Hands a valid event to a Broker, if there is one of that name; resolves with the status to answer. */
export type Accept = (namespace: string, name: string, event: CloudEvent, headers: Headers) => Promise<number>

/** Answers a request as the real ingress does: the checks in its order, and never a body. */
export async function serveIngress(request: IncomingMessage, response: ServerResponse, accept: Accept): Promise<void> {
  response.setHeader('Allow', 'POST, OPTIONS')
  const status = await answer(request, response, accept)
  response.writeHead(status).end()
}

async function answer(request: IncomingMessage, response: ServerResponse, accept: Accept): Promise<number> {
  if (request.method === 'OPTIONS') return answerOptions(response)
  if (request.method !== 'POST') return 405
  if (request.url === '/') return 404
  // The query belongs to the name: the real ingress splits the request line as it came.
  const [, namespace, name, ...more] = (request.url ?? '').replace(/\/$/, '').split('/')
  if (namespace === undefined || name === undefined || more.length > 0) return 400
  const headers = readHeaders(request.headersDistinct)
  const event = read(headers, await buffer(request))
  if (event === undefined || refusal(event) !== undefined) return 400
  return accept(namespace, name, event, headers)
}

function answerOptions(response: ServerResponse): number {
  response.setHeader('WebHook-Allowed-Origin', '*').setHeader('WebHook-Allowed-Rate', '*')
  return 200
}

function read(headers: Headers, body: Buffer): CloudEvent | undefined {
  try {
    return readEvent(headers, body)
  } catch (error) {
    if (error instanceof Malformed) return undefined
    throw error
  }
}

/** The event as it goes into the channel, or the status it is refused with. */
export function admit(event: CloudEvent): CloudEvent | number {
  if (refusal(event) !== undefined) return 400
  const ttl = timeToLive(event.attributes['knativebrokerttl'])
  if (ttl <= 0) return 400
  const stamps = { knativebrokerttl: String(ttl), knativearrivaltime: new Date().toISOString() }
  const admitted = { attributes: { ...event.attributes, ...stamps }, data: event.data }
  return fitsHeaders(admitted) ? admitted : 500
}

/** How many more times the event may pass: one less than it says, or 255 when it says no number. */
function timeToLive(text = ''): number {
  const isNumber = /^[+-]?\d+(\.\d*)?(e\d+)?$/i.test(text) && Math.abs(Number(text)) < 2 ** 31
  return isNumber ? Math.trunc(Number(text)) - 1 : 255
}
