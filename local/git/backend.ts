import { type ChildProcess, spawn } from 'node:child_process'
import type { IncomingMessage } from 'node:http'

export interface Answer {
  status: number
  headers: Record<string, string>
}

export interface Backend {
  child: ChildProcess
  /** The head of the answer; the rest of the child's output is its body. */
  head: Promise<Answer>
  body: NodeJS.ReadableStream
}

/** Starts `git http-backend` for one request, as a web server starts a CGI script; by its own path, which saves a process. */
export function startBackend(
  program: string,
  root: string,
  path: string,
  query: string,
  request: IncomingMessage,
  env: Record<string, string>,
): Backend {
  const header = (name: string): string => String(request.headers[name] ?? '')
  const child = spawn(program, [], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: {
      ...env,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_PROTOCOL: header('git-protocol'),
      PATH_INFO: path,
      QUERY_STRING: query,
      REQUEST_METHOD: request.method ?? 'GET',
      CONTENT_TYPE: header('content-type'),
      HTTP_CONTENT_ENCODING: header('content-encoding'),
      ...(request.headers['content-length'] ? { CONTENT_LENGTH: header('content-length') } : {}),
      REMOTE_USER: 'drover',
      REMOTE_ADDR: '127.0.0.1',
    },
  })
  child.stdin.on('error', () => undefined)
  request.pipe(child.stdin)
  return { child, head: readHead(child.stdout), body: child.stdout }
}

/** Reads the CGI header and leaves the stream where the body begins. */
function readHead(output: ChildProcess['stdout'] & object): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let seen = Buffer.alloc(0)
    const onEnd = () => reject(new Error('Cannot answer: git http-backend ended without a header'))
    const onReadable = () => {
      for (let chunk = output.read() as Buffer | null; chunk; chunk = output.read() as Buffer | null) {
        seen = Buffer.concat([seen, chunk])
        const end = seen.indexOf('\r\n\r\n')
        if (end < 0) continue
        output.off('readable', onReadable)
        output.off('end', onEnd)
        output.unshift(seen.subarray(end + 4))
        resolve(parseHead(seen.toString('latin1', 0, end)))
        return
      }
    }
    output.on('readable', onReadable)
    output.once('end', onEnd)
  })
}

function parseHead(text: string): Answer {
  const pairs = text.split('\r\n').map((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const
  })
  const { status, ...headers } = Object.fromEntries(pairs)
  return { status: Number.parseInt(status ?? '200', 10), headers }
}
