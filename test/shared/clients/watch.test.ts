import { EventEmitter, once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { KubeConfig } from '@kubernetes/client-node'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Access } from '../../../shared/clients/access.ts'
import { type Look, type Source, watchObjects } from '../../../shared/clients/watch.ts'
import { DroverError } from '../../../shared/errors.ts'

/** An API server of one list, whose answers and watches the test decides on. */
async function api(port = 0) {
  const state = { names: ['a'], listStatus: 200, watchStatus: 200, silent: false }
  const watches: ServerResponse[] = []
  const warned: object[] = []
  /** What each watch asked for. */
  const queries: URLSearchParams[] = []
  const asked = { lists: 0 }
  const seen = new EventEmitter()
  const server = createServer((request, response) => {
    const json = { 'content-type': 'application/json' }
    const { searchParams } = new URL(request.url ?? '', 'http://x')
    if (searchParams.has('watch')) {
      queries.push(searchParams)
      if (state.watchStatus !== 200) return void response.writeHead(state.watchStatus, json).end('{}')
      response.writeHead(200, json).flushHeaders()
      watches.push(response)
      seen.emit('watch')
      return
    }
    asked.lists += 1
    seen.emit('list')
    if (state.silent) return
    const items = state.names.map((name) => ({ metadata: { name } }))
    response
      .writeHead(state.listStatus, json)
      .end(JSON.stringify({ apiVersion: 'v1', kind: 'ThingList', metadata: { resourceVersion: '1' }, items }))
  }).listen(port, '127.0.0.1')
  await once(server, 'listening')
  const close = async () => {
    server.closeAllConnections()
    await once(server.close(), 'close')
  }
  const send = (type: string, object: object) => watches.at(-1)?.write(`${JSON.stringify({ type, object })}\n`)
  const kubeConfig = new KubeConfig()
  kubeConfig.loadFromOptions({
    // The client takes plain HTTP only where it need not verify.
    clusters: [
      { name: 'x', skipTLSVerify: true, server: `http://127.0.0.1:${(server.address() as AddressInfo).port}` },
    ],
    users: [{ name: 'x' }],
    contexts: [{ name: 'x', cluster: 'x', user: 'x' }],
    currentContext: 'x',
  })
  const access: Access = {
    use: (_, act) => act(kubeConfig),
    failure: (cause) => new DroverError('broken', 'Cannot ask the cluster', { cause }),
    warn: (fields, message) => void warned.push({ ...fields, message }),
  }
  const source: Source = { access, group: 'example.com', version: 'v1', plural: 'things', namespace: 'shop' }
  const { port: at } = server.address() as AddressInfo
  return { port: at, state, asked, warned, watches, queries, seen, send, source, close }
}

let server: Awaited<ReturnType<typeof api>>
let ending: AbortController
beforeEach(async () => {
  server = await api()
  ending = new AbortController()
})
afterEach(async () => {
  ending.abort()
  await server.close()
})

const thing = (name: string, version = '2') => ({ metadata: { name, resourceVersion: version } })
const namesIn = (result: IteratorResult<Look, void>) =>
  result.done ? 'ended' : result.value.objects.map((objects) => objects.map(({ metadata }) => metadata.name))

/** Goes on until the objects are as wanted. */
async function until(watching: ReturnType<typeof watchObjects>, wanted: string[]): Promise<void> {
  for (;;) {
    const names = namesIn(await watching.next())
    if (JSON.stringify(names) === JSON.stringify([wanted])) return
    if (names === 'ended') throw new Error('it ended')
  }
}

describe('watching objects', () => {
  it('shows them now, and after each change', async () => {
    const watching = watchObjects([server.source], ending.signal)
    const watched = once(server.seen, 'watch')
    expect(namesIn(await watching.next())).toEqual([['a']])
    await watched
    const began = performance.now()
    server.send('ADDED', thing('b'))
    await until(watching, ['a', 'b'])
    server.send('DELETED', thing('a'))
    await until(watching, ['b'])
    // Sooner than it would be shown anyway.
    expect(performance.now() - began).toBeLessThan(1_400)
  })

  it('opens no watch for who has seen enough at once', async () => {
    for await (const { objects: now } of watchObjects([server.source], ending.signal)) {
      expect(now).toHaveLength(1)
      break
    }
    for (let turn = 0; turn < 3; turn++) await setImmediate()
    await watchObjects([server.source], ending.signal).next()
    expect([server.asked.lists, server.watches.length]).toEqual([2, 0])
  })

  it('shows them again when nothing has changed for a while', async () => {
    const watching = watchObjects([server.source], ending.signal)
    await watching.next()
    const began = performance.now()
    expect(namesIn(await watching.next())).toEqual([['a']])
    expect(performance.now() - began).toBeGreaterThan(1_000)
    expect(server.asked.lists).toBe(1)
  })

  it.each<[string, () => void]>([
    ['is broken off', () => server.watches.at(-1)?.destroy()],
    ['ends', () => server.watches.at(-1)?.end()],
  ])('goes on where it was, without a list, when a watch %s', async (_, breakIt) => {
    const watching = watchObjects([server.source], ending.signal)
    const watched = once(server.seen, 'watch')
    await watching.next()
    await watched
    server.send('ADDED', thing('b', '7'))
    await until(watching, ['a', 'b'])
    const again = once(server.seen, 'watch')
    breakIt()
    await again
    server.send('ADDED', thing('c', '8'))
    await until(watching, ['a', 'b', 'c'])
    expect(server.queries.map((query) => query.get('resourceVersion'))).toEqual(['1', '7'])
    expect(server.asked.lists).toBe(1)
  })

  it('takes a bookmark for a position and for nothing else', async () => {
    const watching = watchObjects([server.source], ending.signal)
    const watched = once(server.seen, 'watch')
    await watching.next()
    await watched
    expect(server.queries[0]?.get('allowWatchBookmarks')).toBe('true')
    server.send('BOOKMARK', { kind: 'Thing', metadata: { resourceVersion: '9' } })
    const began = performance.now()
    expect(namesIn(await watching.next())).toEqual([['a']])
    expect(performance.now() - began).toBeGreaterThan(1_000)
    const again = once(server.seen, 'watch')
    server.watches.at(-1)?.end()
    await again
    expect(server.queries[1]?.get('resourceVersion')).toBe('9')
  })

  it.each<[string, () => void]>([
    [
      'says so in an event',
      () => {
        server.send('ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' })
      },
    ],
    [
      'refuses a watch',
      () => {
        server.state.watchStatus = 410
        server.watches.at(-1)?.end()
        server.seen.once('list', () => {
          server.state.watchStatus = 200
        })
      },
    ],
  ])('begins anew with a list where the server has forgotten the position and %s', async (_, forget) => {
    const watching = watchObjects([server.source], ending.signal)
    const watched = once(server.seen, 'watch')
    await watching.next()
    await watched
    server.state.names = ['c']
    const again = once(server.seen, 'watch')
    forget()
    await until(watching, ['c'])
    await again
    server.send('ADDED', thing('d'))
    await until(watching, ['c', 'd'])
    expect(server.asked.lists).toBe(2)
  })

  it('says while the cluster cannot be asked that this is how they were, and no longer', async () => {
    const watching = watchObjects([server.source], ending.signal)
    const watched = once(server.seen, 'watch')
    expect((await watching.next()).value).toMatchObject({ isStale: false })
    await watched
    const { port } = server
    await server.close()
    const untilStale = async (wanted: boolean) => {
      for (;;) {
        const { value } = await watching.next()
        expect(value?.objects).toMatchObject([[{ metadata: { name: 'a' } }]])
        if (value?.isStale === wanted) return
      }
    }
    await untilStale(true)
    server = await api(port)
    await untilStale(false)
    expect(server.asked.lists).toBe(0)
  })

  describe('says in the log', () => {
    const lost = { watched: 'things', err: expect.any(DroverError), message: 'Cannot ask the cluster' }
    const found = { watched: 'things', message: 'The cluster can be watched again' }

    /** Goes on until so much has been said, and then for a look more: there is no more to say. */
    async function untilSaid(watching: ReturnType<typeof watchObjects>, count: number): Promise<void> {
      await vi.waitFor(() => expect(server.warned.length).toBeGreaterThanOrEqual(count), { timeout: 10_000 })
      await watching.next()
    }

    it.each<[string, () => void, () => void]>([
      ['its watch is refused', () => (server.state.watchStatus = 403), () => (server.state.watchStatus = 200)],
      [
        'neither a watch nor a list is answered',
        () => Object.assign(server.state, { watchStatus: 500, listStatus: 500 }),
        () => Object.assign(server.state, { watchStatus: 200, listStatus: 200 }),
      ],
    ])('once that %s, and once that it is answered again, however many wait for it', async (_, fail, mend) => {
      const watching = watchObjects([server.source], ending.signal)
      const watched = once(server.seen, 'watch')
      await watching.next()
      await watched
      const other = watchObjects([server.source], ending.signal)
      const watchedToo = once(server.seen, 'watch')
      await other.next()
      await watchedToo
      fail()
      for (const one of server.watches) one.end()
      await untilSaid(watching, 1)
      expect(server.warned).toEqual([lost])
      mend()
      await untilSaid(watching, 2)
      expect(server.warned).toEqual([lost, found])
    })

    it('nothing of a line that is cut, of a position that is forgotten, and of an end', async () => {
      const watching = watchObjects([server.source], ending.signal)
      const watched = once(server.seen, 'watch')
      await watching.next()
      await watched
      for (const end of [
        () => server.watches.at(-1)?.destroy(),
        () => server.send('ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' }),
      ]) {
        const again = once(server.seen, 'watch')
        end()
        await again
      }
      ending.abort()
      await watching.next()
      expect(server.warned).toEqual([])
    })
  })

  it('does not ask without a pause a server that ends every watch', async () => {
    server.seen.on('watch', () => server.watches.at(-1)?.end())
    const watching = watchObjects([server.source], ending.signal)
    for (let count = 0; count < 3; count++) await watching.next()
    expect(server.queries.length).toBeGreaterThan(1)
    expect(server.queries.length).toBeLessThan(10)
  })

  it('throws where nothing can be listed at the start', async () => {
    server.state.listStatus = 403
    await expect(watchObjects([server.source], ending.signal).next()).rejects.toMatchObject({
      reason: 'broken',
      message: 'Cannot ask the cluster',
    })
  })

  it('has none of an optional kind that the cluster does not know', async () => {
    server.state.listStatus = 404
    const watching = watchObjects([{ ...server.source, optional: true }], ending.signal)
    expect(namesIn(await watching.next())).toEqual([[]])
    await expect(watchObjects([server.source], ending.signal).next()).rejects.toThrow('Cannot ask the cluster')
  })

  it('ends without an error when it is told to', async () => {
    const watching = watchObjects([server.source], ending.signal)
    await watching.next()
    const next = watching.next()
    ending.abort()
    expect(await next).toEqual({ done: true, value: undefined })
  })

  it('takes one look all the same when it is told to end before it has looked', async () => {
    ending.abort()
    const watching = watchObjects([server.source], ending.signal)
    expect((await watching.next()).done).toBe(false)
    expect(await watching.next()).toEqual({ done: true, value: undefined })
    expect(server.watches).toEqual([])
  })

  it('ends when it is told to while the cluster does not answer', async () => {
    server.state.silent = true
    const asked = once(server.seen, 'list')
    const next = watchObjects([server.source], ending.signal).next()
    await asked
    ending.abort()
    expect(await next).toEqual({ done: true, value: undefined })
  })

  it('leaves no watch open when nobody looks any more', async () => {
    const watching = watchObjects([server.source], ending.signal)
    const watched = once(server.seen, 'watch')
    await watching.next()
    await watched
    const closed = once(server.watches[0] as ServerResponse, 'close')
    await watching.return(undefined)
    await closed
  })
})
