import { createHash, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { listenAt } from '../listen.ts'
import { type Backend, type Service, startBackend } from './backend.ts'
import { type Faults, makeFaults, type PushFault } from './faults.ts'
import { removeLeftLocks } from './left-locks.ts'
import {
  type Environment,
  exists,
  prepareRepository,
  type Settings,
  servingEnvironment,
  startTidying,
} from './repository.ts'

export interface GitHostConfig {
  /** The folder that holds the repository. */
  directory: string
  port?: number
  /** The token that is known; a function is asked at each request, for one that changes. */
  token: string | (() => string)
  repository?: string
  branch?: string
  /** Serves over HTTPS: a certificate for 127.0.0.1, and its key. */
  tls?: { certificate: string; key: string }
  /** For git itself: only PATH is taken from it. */
  env?: Environment
  /** After so many pushes the repository is tidied up. */
  tidyEvery?: number
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
  /** What it has answered so far: the statuses, in their order. */
  readonly answered: readonly number[]
  close(): Promise<void>
}

/** Serves one bare repository over smart HTTP or HTTPS on the loopback interface, to whoever knows the token. */
export async function startGitHost(config: GitHostConfig): Promise<GitHost> {
  const repository = config.repository ?? 'fleet.git'
  const path = join(config.directory, repository)
  await prepareRepository(path, config.branch ?? 'main', config.env)
  await removeLeftLocks(path)
  const environment = servingEnvironment(config.env, config.settings)
  const { faults, nextPush } = makeFaults()
  const running = new Set<Pick<Backend, 'child'>>()
  const run = (backend: Pick<Backend, 'child'>) => {
    running.add(backend)
    backend.child.once('close', () => running.delete(backend))
  }
  const { tidyEvery = 100 } = config
  let pushes = 0
  const known = () => (typeof config.token === 'string' ? config.token : config.token())
  const answered: number[] = []
  let greeting: Promise<Whole> | undefined

  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? '/', 'http://localhost')
    if (faults.outage !== undefined) return refuse(response, faults.outage)
    if (!isKnown(request.headers.authorization, known())) return refuse(response, 401)
    const service = url.pathname.startsWith(`/${repository}/`) ? serviceOf(url, repository, request) : undefined
    if (!service) return refuse(response, 404)
    const isPush = service.name === 'git-receive-pack' && !service.isGreeting
    // A push begins with a small probe when it is large or needs to authenticate; only the real one counts.
    const fault = isPush && request.headers['content-length'] !== '4' ? nextPush() : undefined
    if (fault?.kind === 'status') return refuse(response, fault.status)
    if (fault?.kind === 'cut') return void response.destroy()
    if (fault?.kind === 'hang') return
    const begin = async () => {
      if (!(await exists(path))) return undefined
      const backend = startBackend(path, service, request, environment)
      run(backend)
      if (isPush && ++pushes % tidyEvery === 0) run({ child: startTidying(path, config.env) })
      return backend
    }
    if (!isAlwaysTheSame(service, request)) {
      const backend = await begin()
      if (!backend) return refuse(response, 404)
      const left = () => leave(backend, response, isPush && request.complete)
      if (response.closed) left()
      else response.once('close', left)
      return relay(backend, response, fault)
    }
    greeting ??= begin().then(whole)
    greeting.catch(() => {
      greeting = undefined
    })
    const { headers, body } = await greeting
    response.writeHead(200, headers).end(body)
  }

  const listener: RequestListener = (request, response) => {
    response.once('finish', () => answered.push(response.statusCode))
    serve(request, response).catch(() => response.destroy())
  }
  const { tls } = config
  const server = tls ? createTlsServer({ cert: tls.certificate, key: tls.key }, listener) : createServer(listener)
  const port = await listenAt(server, config.port ?? 0)
  const close = async () => {
    for (const { child } of running) child.kill()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  const scheme = tls ? 'https' : 'http'
  const address = `127.0.0.1:${port}/${repository}`
  return {
    url: `${scheme}://drover:${encodeURIComponent(known())}@${address}`,
    plainUrl: `${scheme}://${address}`,
    path,
    faults,
    answered,
    close,
  }
}

interface Whole extends Pick<Backend, 'headers'> {
  body: Buffer
}

/** What is asked of git; undefined when it is nothing that a client of Git asks for. */
function serviceOf({ pathname, search }: URL, repository: string, { method }: IncomingMessage): Service | undefined {
  const asked = pathname.slice(`/${repository}/`.length)
  const isGreeting = method === 'GET' && asked === 'info/refs'
  const name = isGreeting ? search.replace('?service=', '') : asked
  if (!isGreeting && method !== 'POST') return undefined
  return name === 'git-upload-pack' || name === 'git-receive-pack' ? { name, isGreeting } : undefined
}

/** Whether git is only asked what it can do. Protocol 2 names no refs in its answer, so that it is always the same. */
const isAlwaysTheSame = ({ name, isGreeting }: Service, { headers }: IncomingMessage): boolean =>
  isGreeting && name === 'git-upload-pack' && headers['git-protocol'] === 'version=2'

async function whole(backend: Backend | undefined): Promise<Whole> {
  if (!backend) throw new Error('Cannot answer: the repository is not there')
  return { headers: backend.headers, body: await buffer(backend.body) }
}

async function relay(
  { child, headers, preface, body }: Backend,
  response: ServerResponse,
  fault: PushFault | undefined,
): Promise<void> {
  body.once('error', () => response.destroy())
  if (fault?.kind === 'lostAnswer') {
    body.resume()
    await once(child, 'close')
    response.destroy()
    return
  }
  if (fault?.kind === 'delay') await sleep(fault.milliseconds)
  if (response.destroyed) return
  response.writeHead(200, headers).write(preface)
  body.pipe(response)
}

/** Lets git end when its client is gone; but a push that has come whole is made, whoever waits for it. */
function leave({ child, body }: Backend, { writableFinished }: ServerResponse, isWhole: boolean): void {
  if (isWhole) body.resume()
  else if (!writableFinished) child.kill()
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
