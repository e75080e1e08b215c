import { type ChildProcess, spawn } from 'node:child_process'
import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'

/** What a client asks for: by its name in the address, and only what can be done, or that it be done. */
export interface Service {
  name: 'git-upload-pack' | 'git-receive-pack'
  isGreeting: boolean
}

export interface Backend {
  child: ChildProcess
  headers: Record<string, string>
  /** Said before what git says. */
  preface: string
  /** Fails when git could not be started. */
  body: Readable
}

/**
 * Starts the half of git that serves one request. It is what `git http-backend` starts, with what that adds (see
 * gitprotocol-http(5)): two processes fewer for each request.
 */
export function startBackend(
  repository: string,
  { name, isGreeting }: Service,
  request: IncomingMessage,
  env: Record<string, string>,
): Backend {
  const protocol = String(request.headers['git-protocol'] ?? '')
  const args = [name.slice('git-'.length), '--stateless-rpc', ...(isGreeting ? ['--http-backend-info-refs'] : []), '.']
  const child = spawn('git', args, {
    cwd: repository,
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { ...env, GIT_PROTOCOL: protocol, GIT_COMMITTER_NAME: 'drover', GIT_COMMITTER_EMAIL: 'drover@127.0.0.1' },
  })
  // What could not be started has no answer; that it ends without a word must not be taken for one.
  child.once('error', (cause) => child.stdout.destroy(cause))
  child.stdin.on('error', () => undefined)
  if (isGreeting) child.stdin.end()
  else unpacked(request).pipe(child.stdin)
  const kind = isGreeting ? 'advertisement' : 'result'
  return {
    child,
    headers: {
      'content-type': `application/x-${name}-${kind}`,
      'cache-control': 'no-cache, max-age=0, must-revalidate',
    },
    // From protocol 2 on it is left out.
    preface: isGreeting && !protocol.includes('version=2') ? line(`# service=${name}\n`) : '',
    body: child.stdout,
  }
}

function unpacked(request: IncomingMessage): Readable {
  if (request.headers['content-encoding'] !== 'gzip') return request
  return request.pipe(createGunzip()).on('error', () => request.destroy())
}

/** One line of Git's protocol, and the end of its section. */
const line = (text: string) => `${(text.length + 4).toString(16).padStart(4, '0')}${text}0000`
