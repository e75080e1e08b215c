import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import { describe, expect, it, onTestFinished } from 'vitest'
import { listenAt } from '../../../../local/listen.ts'
import { insist } from '../../../../shared/clients/registry/insist.ts'
import { openRegistry } from '../../../../shared/clients/registry/registry.ts'
import { openSession } from '../../../../shared/clients/registry/session.ts'
import { fetchToken } from '../../../../shared/clients/registry/token.ts'
import { DroverError } from '../../../../shared/errors.ts'

const credentials = { username: 'me', password: 's3cret' }

/** A server on loopback, and the requests that it has got. */
async function serve(answer: RequestListener) {
  const seen: IncomingMessage[] = []
  const server = createServer((request, response) => {
    seen.push(request)
    request.resume()
    answer(request, response)
  })
  const port = await listenAt(server, 0)
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { host: `127.0.0.1:${port}`, seen }
}

const registryAt = (host: string) =>
  openRegistry(openSession({ host, path: 'golden/rhel9' }, { credentials, insecure: true }))

/** Asks who it is, once. */
const asking =
  (challenge: string, then: RequestListener): RequestListener =>
  (request, response) =>
    request.headers.authorization === undefined
      ? response.writeHead(401, { 'www-authenticate': challenge }).end()
      : then(request, response)

describe('a session with a registry', () => {
  it('says no password before it is asked', async () => {
    const { host, seen } = await serve((_, response) => void response.writeHead(404).end())
    await registryAt(host).hasTag('v1')
    expect(seen.map(({ headers }) => headers.authorization)).toEqual([undefined])
  })

  it('says a password only once where it is refused: the account may be locked for the next', async () => {
    const { host, seen } = await serve((_, response) =>
      response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end(),
    )
    await expect(registryAt(host).hasTag('v1')).rejects.toMatchObject({ reason: 'refused' })
    expect(seen.filter(({ headers }) => headers.authorization)).toHaveLength(1)
  })

  it('says no password to whom an upload is sent on to', async () => {
    const elsewhere = await serve((request, response) =>
      request.method === 'PATCH'
        ? response.writeHead(202, { location: '/next?a=1' }).end()
        : response.writeHead(201).end(),
    )
    const { host } = await serve(
      asking('Basic realm="x"', (request, response) =>
        request.method === 'HEAD'
          ? response.writeHead(404).end()
          : response.writeHead(202, { location: `http://${elsewhere.host}/upload` }).end(),
      ),
    )
    const registry = registryAt(host)
    await registry.hasTag('v1')
    await registry.sendBlob('the layer', 'bytes', () => 'sha256:0')
    expect(elsewhere.seen.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'PATCH /upload',
      'PUT /next?a=1&digest=sha256%3A0',
    ])
    expect(elsewhere.seen.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined])
  })

  it('follows no redirect with a password', async () => {
    const elsewhere = await serve((_, response) => void response.end())
    const { host } = await serve(
      asking('Basic realm="x"', (_, response) =>
        response.writeHead(307, { location: `http://${elsewhere.host}/` }).end(),
      ),
    )
    await expect(registryAt(host).hasTag('v1')).rejects.toThrow('it answered 307 to the question for the tag')
    expect(elsewhere.seen).toEqual([])
  })

  it.each([
    ['is not of https', 'http://auth.example.com/token'],
    ['has a user name', 'https://a:b@auth.example.com/token'],
    ['is none', 'nowhere'],
    ['is a file', 'file:///etc/passwd'],
  ])('asks for no token where the address for it %s', async (_, realm) => {
    const asked = fetchToken({ scheme: 'bearer', realm }, { scope: 'x', credentials, insecure: false })
    await expect(asked).rejects.toThrow('the registry names no address of https for it')
  })

  it.each([
    [200, '{"token":"a\\nb"}', 'its answer has none'],
    [200, 'no JSON', 'its answer has none'],
    [503, '', 'it answered 503 to a request for a token'],
    [401, '{"errors":[{"code":"s3cret <b>"}]}', 'it answered 401 to a request for a token; look whether'],
  ])('says what is wrong with a token service that answers %d %s', async (status, body, sentence) => {
    const tokens = await serve((_, response) => void response.writeHead(status).end(body))
    const { host } = await serve(asking(`Bearer realm="http://${tokens.host}/"`, (_, response) => response.end()))
    await expect(registryAt(host).hasTag('v1')).rejects.toThrow(sentence)
  })
})

describe('a registry', () => {
  it.each<[number, string, string, string]>([
    [
      403,
      '{"errors":[{"code":"DENIED"}]}',
      'refused',
      '(DENIED) to the beginning of the layer; the account needs the right',
    ],
    [404, '{"errors":[{"code":"NAME_UNKNOWN"}]}', 'refused', 'wants the repository to be made beforehand'],
    [429, '', 'busy', 'it answered 429'],
    [503, '<html>s3cret</html>', 'busy', 'it answered 503 to the beginning of the layer'],
    [302, '', 'refused', 'it answered 302'],
  ])('that answers %d %s is %s', async (status, body, reason, sentence) => {
    const { host } = await serve((_, response) => void response.writeHead(status).end(body))
    const failure = await registryAt(host)
      .sendBlob('the layer', 'bytes', () => '')
      .catch((error: unknown) => error)
    expect(failure).toMatchObject({ reason, message: expect.stringContaining(sentence) })
    expect(failure).not.toMatchObject({ message: expect.stringContaining('s3cret') })
  })

  it('has a blob only where its size is right', async () => {
    const { host } = await serve((_, response) => void response.writeHead(200, { 'content-length': '7' }).end())
    const registry = registryAt(host)
    expect(await registry.hasBlob({ digest: 'sha256:0', size: 7 })).toBe(true)
    expect(await registry.hasBlob({ digest: 'sha256:0', size: 8 })).toBe(false)
  })
})

describe('insist', () => {
  const failing = (reasons: ('busy' | 'refused')[]) => {
    const left = [...reasons]
    return async () => {
      const reason = left.shift()
      if (reason) throw new DroverError(reason, `Cannot: ${reason}`)
      return left.length
    }
  }

  it.each<[string, ('busy' | 'refused')[], string | undefined, number]>([
    ['does again what may pass', ['busy', 'busy'], undefined, 2],
    ['gives up at last', ['busy', 'busy', 'busy'], 'Cannot: busy', 2],
    ['does not do again what is refused', ['busy', 'refused'], 'Cannot: refused', 1],
  ])('%s', async (_, reasons, sentence, times) => {
    const said: string[] = []
    const end = await insist(failing(reasons), [0, 0], (line) => said.push(line)).catch((error: Error) => error.message)
    expect(end).toBe(sentence ?? 0)
    expect(said).toHaveLength(times)
  })
})
