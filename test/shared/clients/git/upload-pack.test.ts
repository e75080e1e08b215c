import { writeFile } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, it, onTestFinished } from 'vitest'
import { listenAt } from '../../../../local/listen.ts'
import { toPack } from '../../../../shared/clients/git/pack.ts'
import { toLine } from '../../../../shared/clients/git/pkt-line.ts'
import { runGit } from '../../../../shared/clients/git/process.ts'
import { toRemote } from '../../../../shared/clients/git/remote.ts'
import { openUploadPack } from '../../../../shared/clients/git/upload-pack.ts'
import { makeWorld } from './world.ts'

const [known, tip] = ['1'.repeat(40), '2'.repeat(40)]
const at = (branch: string, id = tip) => `${toLine(`${id} refs/heads/${branch}`)}0000`
const band = (number: number, bytes: Buffer | string) => {
  const content = Buffer.concat([Buffer.from([number]), Buffer.from(bytes)])
  if (content.length > 65_516) throw new Error('A band holds less than that')
  return Buffer.concat([Buffer.from((content.length + 4).toString(16).padStart(4, '0')), content])
}
/** No pack, and more of it than is taken in one go. */
const rubbish = Array.from({ length: 10 }, () => band(1, 'x'.repeat(60_000)))
const { pack: empty } = toPack([])
const answering = (...parts: (Buffer | string)[]) => Buffer.concat(parts.map((part) => Buffer.from(part)))

interface Server {
  greeting?: string
  tip?: string
  /** What it answers to a fetch; it says nothing more after undefined. */
  fetch?: Buffer | undefined
}

/** A server that answers by protocol 2, and what it was asked. */
async function serve({ greeting = 'version 2', tip = at('main'), fetch }: Server, fetchTimeout = 10_000) {
  const asked: string[] = []
  const bodies: string[] = []
  const answer = async (body: string, response: ServerResponse) => {
    const [, command = ''] = /command=([\w-]+)/.exec(body) ?? []
    asked.push(command)
    bodies.push(body)
    if (command === 'ls-refs') response.end(tip)
    else if (fetch) response.end(fetch)
    else response.write(answering(toLine('packfile'), band(1, empty.subarray(0, 10))))
  }
  const server = createServer(async (request, response) => {
    const kind = request.url?.includes('info/refs') ? 'advertisement' : 'result'
    response.setHeader('content-type', `application/x-git-upload-pack-${kind}`)
    if (kind === 'result') return answer(await text(request), response)
    asked.push('greeting')
    response.end(`${toLine(greeting)}${toLine('ls-refs')}${toLine('fetch=shallow filter')}0000`)
  })
  const port = await listenAt(server, 0)
  const { directory } = await makeWorld()
  const clone = join(directory, 'clone.git')
  const remote = toRemote({ url: `http://127.0.0.1:${port}/fleet.git`, directory })
  const closing = new AbortController()
  const config = {
    ...{ remote, branch: 'main', directory, signal: closing.signal, running: new Set<Promise<unknown>>() },
    timeouts: { clone: 10_000, fetch: fetchTimeout, push: 10_000, local: 10_000 },
    onRemake: () => undefined,
  }
  const init = ['init', '--quiet', '--bare', clone]
  await runGit({ ...config, directory: clone, args: init, env: await remote.environment(), timeout: 10_000 })
  const uploadPack = openUploadPack(config)
  const close = async () => {
    closing.abort()
    await uploadPack.end()
    await Promise.all(config.running)
  }
  onTestFinished(async () => {
    await close()
    server.closeAllConnections()
    server.close()
  })
  return { asked, bodies, clone, close, news: () => uploadPack.fetch(clone, known) }
}

const whole = answering(toLine('packfile'), band(2, 'progress'), band(1, empty), band(1, ''), '0000')

describe('what is new on a branch', () => {
  it('is brought over one connection, however often it is asked for', async () => {
    const { asked, news } = await serve({ fetch: whole })
    expect([await news(), await news()]).toEqual([tip, tip])
    expect(asked).toEqual(['greeting', 'ls-refs', 'fetch', 'ls-refs', 'fetch'])
  })

  it('is asked for as what we lack: down to what we have, and not below the end of our history', async () => {
    const { bodies, clone, news } = await serve({ fetch: whole })
    const end = '3'.repeat(40)
    await writeFile(join(clone, 'shallow'), `${end}\n`)
    expect(await news()).toBe(tip)
    const lines = bodies.map((body) =>
      body.match(/(?<=^|\n|0001|0000)[0-9a-f]{4}[a-z].*(?=\n)/g)?.map((line) => line.slice(4)),
    )
    expect(lines).toEqual([
      ['command=ls-refs', 'ref-prefix refs/heads/main'],
      [
        ...['command=fetch', 'no-progress', 'ofs-delta', 'filter blob:limit=65536', `shallow ${end}`],
        ...[`want ${tip}`, `have ${known}`, `have ${end}`, 'done'],
      ],
    ])
  })

  it('is left to git for a while where it could not be had three times in a row', async () => {
    const { asked, news } = await serve({ fetch: answering(toLine('ERR not our ref')) })
    for (let look = 0; look < 5; look++) expect(await news()).toBeUndefined()
    expect(asked.filter((one) => one === 'fetch')).toHaveLength(3)
  })

  it('is nothing where the branch has not moved', async () => {
    const { asked, news } = await serve({ tip: at('main', known) })
    expect(await news()).toBe(known)
    expect(asked).toEqual(['greeting', 'ls-refs'])
  })

  it.each<[string, Server]>([
    ['has no such branch', { tip: at('main2') }],
    ['names something that is not a commit', { tip: at('main', '../../HEAD') }],
    ['answers that it cannot tell where the branch is', { tip: toLine('ERR too busy') }],
    ['answers something else than lines', { tip: '<html>' }],
    ['speaks an older protocol', { greeting: `${tip} HEAD\0multi_ack` }],
    ['answers a fetch with an error', { fetch: answering(toLine('ERR not our ref')) }],
    ['breaks off with an error', { fetch: answering(toLine('packfile'), band(3, 'out of memory'), '0000') }],
    ['sends less than a pack', { fetch: answering(toLine('packfile'), band(1, empty.subarray(0, 20)), '0000') }],
    ['sends a pack that is none', { fetch: answering(toLine('packfile'), ...rubbish, '0000') }],
    ['sends no pack', { fetch: answering('0000') }],
    [
      'has a history with another end',
      { fetch: answering(toLine('shallow-info'), toLine(`shallow ${tip}`), '0001', whole) },
    ],
    ['sends the pack elsewhere', { fetch: answering(toLine('packfile-uris'), toLine('x y'), '0001', whole) }],
  ])('cannot be had so from a server that %s, which it finds out at once, each time', async (_, server) => {
    const { news } = await serve(server)
    const began = performance.now()
    expect([await news(), await news()]).toEqual([undefined, undefined])
    expect(performance.now() - began).toBeLessThan(8_000)
  })

  it('is brought where nothing has become of the end of its history', async () => {
    const { news } = await serve({ fetch: answering(toLine('shallow-info'), '0001', whole) })
    expect(await news()).toBe(tip)
  })

  it('fails in time where the server goes silent in the middle of it, and lets the next one try', async () => {
    const { asked, news } = await serve({ fetch: undefined }, 1_500)
    const busy = { reason: 'busy', message: expect.stringContaining('did not answer in time') }
    await expect(news()).rejects.toMatchObject(busy)
    await expect(news()).rejects.toMatchObject(busy)
    expect(asked).toEqual(['greeting', 'ls-refs', 'fetch', 'greeting', 'ls-refs', 'fetch'])
  })

  it('is not waited for when the client is closed', async () => {
    const { asked, news, close } = await serve({ fetch: undefined })
    const coming = news().catch(() => undefined)
    while (!asked.includes('fetch')) await new Promise((done) => setTimeout(done, 10))
    const began = performance.now()
    await close()
    expect(await coming).toBeUndefined()
    expect(performance.now() - began).toBeLessThan(3_000)
  })
})
