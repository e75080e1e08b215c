import type { IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import { parse } from 'yaml'
import { isDict } from '../../../shared/dict.ts'
import { ApiError, badRequest } from '../api-error.ts'
import type { Fields } from '../object.ts'

/** What a client asks, by whichever HTTP it speaks. */
export type ApiRequest = IncomingMessage | Http2ServerRequest

/** What is answered with, as far as both kinds have it. */
export interface ApiResponse {
  readonly headersSent: boolean
  writeHead(code: number, headers: Record<string, string>): ApiResponse
  /** Not in the types of HTTP/2's, which sends them at once. */
  flushHeaders?(): void
  write(text: string): boolean
  end(): unknown
  end(text: string): unknown
  destroy(): unknown
  on(event: 'close', heard: () => void): unknown
}

const largest = 3 * 1024 * 1024

/** The body of a request, read as JSON or YAML; undefined when there is none. */
export async function bodyOf(request: ApiRequest): Promise<unknown> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    const part: Buffer = chunk
    size += part.length
    if (size > largest)
      throw new ApiError(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${largest}`)
    chunks.push(part)
  }
  if (size === 0) return undefined
  return parsed(Buffer.concat(chunks).toString(), request.headers['content-type'] ?? 'application/json')
}

function parsed(text: string, type: string): unknown {
  if (type.includes('protobuf'))
    throw new ApiError(
      415,
      'UnsupportedMediaType',
      'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml',
    )
  try {
    return type.includes('yaml') ? parse(text) : JSON.parse(text)
  } catch (error) {
    throw badRequest(`error decoding the body: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** The body of a request that must be an object. */
export async function fieldsOf(request: ApiRequest): Promise<Fields> {
  const body = await bodyOf(request)
  if (isDict(body)) return body
  throw badRequest('error decoding the body: it is no object')
}

/** Whether the client wants a table to print. */
export function wantsTable(request: ApiRequest): boolean {
  return /as=Table/.test(request.headers.accept ?? '')
}
