import { createHash, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { listenAt } from '../listen.ts'
import { type Answer, type Backend, startBackend } from './backend.ts'
import { type Faults, makeFaults, type PushFault } from './faults.ts'
import { type Environment, findBackend, prepareRepository, type Settings, servingEnvironment } from './repository.ts'

export interface GitHostConfig {
  /** The folder that holds the repository. */
  directory: string
  port?: number
  token: string
  repository?: string
  branch?: string
  /** For git itself: only PATH is taken from it. */
  env?: Environment
  /** Git's settings for serving, where they differ from the usual. */
  settings?: Settings
}

export interface GitHost {
  /** For people: with the token in it. */
  url: string
  /** For programs, which send the token themselves. */
  plainUrl: string
  /** The bare repository on disk. */
  path: string
  faults: Faults
  close(): Promise<void>
}

/** Serves one bare repository over smart HTTP on the loopback interface, to whoever knows the token. */
export async function startGitHost(config: GitHostConfig): Promise<GitHost> {
  const repository = config.repository ?? 'fleet.git'
  const path = join(config.directory, repository)
  await prepareRepository(path, config.branch ?? 'main', config.env)
  const program = await findBackend(config.env)
  const environment = servingEnvironment(config.env, config.settings)
  const { faults, nextPush } = makeFaults()
  const running = new Set<Backend>()
  let greeting: Promise<Whole> | undefined
  const allowed = new Set(['info/refs', 'git-upload-pack', 'git-receive-pack'].map((name) => `/${repository}/${name}`))

  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? '/', 'http://localhost')
    if (faults.outage !== undefined) return refuse(response, faults.outage)
    if (!isKnown(request.headers.authorization, config.token)) return refuse(response, 401)
    if (!allowed.has(url.pathname)) return refuse(response, 404)
    const isPush = url.pathname.endsWith('/git-receive-pack')
    // A push begins with a small probe when it is large or needs to authenticate; only the real one counts.
    const fault = isPush && request.headers['content-length'] !== '4' ? nextPush() : undefined
    if (fault?.kind === 'status') return refuse(response, fault.status)
    if (fault?.kind === 'cut') return void response.destroy()
    if (fault?.kind === 'hang') return
    const begin = () => {
      const backend = startBackend(program, config.directory, url.pathname, url.search.slice(1), request, environment)
      running.add(backend)
      backend.child.once('close', () => running.delete(backend))
      return backend
    }
    if (!isGreeting(url, request)) return relay(begin(), response, fault)
    greeting ??= whole(begin())
    greeting.catch(() => {
      greeting = undefined
    })
    const { status, headers, body } = await greeting
    response.writeHead(status, headers).end(body)
  }

  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy())
  })
  const port = await listenAt(server, config.port ?? 0)
  const close = async () => {
    for (const { child } of running) child.kill()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  const address = `127.0.0.1:${port}/${repository}`
  return {
    url: `http://drover:${encodeURIComponent(config.token)}@${address}`,
    plainUrl: `http://${address}`,
    path,
    faults,
    close,
  }
}

interface Whole extends Answer {
  body: Buffer
}

/** Whether git is only asked what it can do. Protocol 2 names no refs in its answer, so that it is always the same. */
const isGreeting = ({ pathname, search }: URL, { headers }: IncomingMessage): boolean =>
  pathname.endsWith('/info/refs') && search === '?service=git-upload-pack' && headers['git-protocol'] === 'version=2'

async function whole(backend: Backend): Promise<Whole> {
  const head = await backend.head
  return { ...head, body: await buffer(backend.body) }
}

async function relay(backend: Backend, response: ServerResponse, fault: PushFault | undefined): Promise<void> {
  const ended = once(backend.child, 'close')
  const { status, headers } = await backend.head
  if (fault?.kind === 'lostAnswer') {
    backend.body.resume()
    await ended
    response.destroy()
    return
  }
  if (fault?.kind === 'delay') await sleep(fault.milliseconds)
  response.writeHead(status, headers)
  backend.body.pipe(response)
}

function refuse(response: ServerResponse, status: number): void {
  const headers = status === 401 ? { 'www-authenticate': 'Basic realm="fleet"' } : {}
  response.writeHead(status, { 'content-type': 'text/plain', connection: 'close', ...headers })
  response.end(`${status}\n`)
}

/** True for the token as a Basic password (under any user name) or as a Bearer token. */
function isKnown(authorization: string | undefined, token: string): boolean {
  const [scheme, value = ''] = (authorization ?? '').split(' ')
  const digest = (text: string) => createHash('sha256').update(text).digest()
  const basic = Buffer.from(value, 'base64').toString('utf8')
  const given = scheme === 'Bearer' ? value : basic.slice(basic.indexOf(':') + 1)
  return given !== '' && timingSafeEqual(digest(given), digest(token))
}
