import { createServer } from 'node:http'
import { buffer, json } from 'node:stream/consumers'
import { listenAt } from '../../local/listen.ts'

/** Listens as a container engine does, as far as `func build` needs one until the builder image would begin to build. */
export interface Engine {
  /** For DOCKER_HOST. */
  host: string
  /** The container that would build, and what it was given to read. */
  asked: { image?: string; user?: string; env: string[]; command: string[]; input: Buffer }
  close(): void
}

interface Wanted {
  Image: string
  User: string
  Env: string[]
  Cmd: string[]
}

/** An engine that knows the builder image as Red Hat makes it, and whose containers fail as soon as they have read all. */
export async function openEngine(): Promise<Engine> {
  const asked: Engine['asked'] = { env: [], command: [], input: Buffer.alloc(0) }
  const server = createServer(async (request, response) => {
    const path = `${request.method} ${decodeURIComponent(request.url ?? '').replace(/^\/v[\d.]+/, '')}`
    const answer = (body: object, status = 200) =>
      response
        .writeHead(status, { 'content-type': 'application/json', 'api-version': '1.47' })
        .end(JSON.stringify(body))
    if (/^(HEAD|GET) \/_ping/.test(path)) return answer({})
    if (/^GET \/images\/.*\/json/.test(path)) return answer(builder)
    if (/\/start$/.test(path)) return response.writeHead(204).end()
    if (/\/wait/.test(path)) return answer({ StatusCode: 1 })
    if (!path.startsWith('POST /containers/create')) return answer({ message: 'not here' }, 404)
    const { Image, User, Env, Cmd } = (await json(request)) as Wanted
    Object.assign(asked, { image: Image, user: User, env: Env, command: Cmd })
    return answer({ Id: 'c'.repeat(64), Warnings: [] }, 201)
  })
  server.on('upgrade', async (_, socket) => {
    socket.on('error', () => undefined)
    socket.write('HTTP/1.1 101 UPGRADED\r\nconnection: Upgrade\r\nupgrade: tcp\r\n\r\n')
    asked.input = await buffer(socket)
    socket.end()
  })
  const host = `tcp://127.0.0.1:${await listenAt(server, 0)}`
  const close = () => {
    server.closeAllConnections()
    server.close()
  }
  return { host, asked, close }
}

const builder = {
  Id: `sha256:${'a'.repeat(64)}`,
  RepoTags: [],
  Config: {
    Env: ['PATH=/usr/bin:/bin'],
    User: '1001',
    WorkingDir: '/opt/app-root/src',
    Labels: { 'io.openshift.s2i.scripts-url': 'image:///usr/libexec/s2i' },
  },
  Os: 'linux',
  Architecture: 'amd64',
}
