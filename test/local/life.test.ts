import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Feed } from '../../local/feed.ts'
import { live, readLife } from '../../local/life.ts'
import { listenAt } from '../../local/listen.ts'
import type { RequestFile } from '../../local/request.ts'
import { runId } from '../../shared/run.ts'

/** A Broker whose runs end at once: of each lifecycle in this way, and as completed where none is said. */
async function brokerWhere(ends: Record<string, string>) {
  const feed = new Feed()
  const asked: RequestFile[] = []
  const server = createServer(async (request, response) => {
    const event = JSON.parse(await text(request)) as RequestFile & { id: string }
    asked.push(event)
    response.writeHead(202).end()
    const prefix = event.type.replace(/\.requested$/, '')
    for (const fact of [ends[prefix.split('.')[2] ?? ''] ?? 'completed', 'notified']) {
      const attributes = { id: `${event.id}-${fact}`, source: '/x', runid: runId(event.source, event.id) }
      const data = Buffer.from(JSON.stringify({ vmName: 'prod-shop-007' }))
      feed.note({ event: { attributes: { ...attributes, type: `${prefix}.${fact}` }, data } } as never)
    }
  })
  onTestFinished(() => void server.close())
  return { broker: `http://127.0.0.1:${await listenAt(server, 0)}/`, feed, asked }
}

describe('live', () => {
  it('makes an image and a machine, and asks all that follows for that machine', async () => {
    const { asked, ...world } = await brokerWhere({})
    const { life, end } = await readLife()
    const lived = await live(world, [...life, end])
    expect(lived.map(({ ended }) => ended.type.split('.').slice(2).join(' '))).toEqual(
      ['golden-image', 'provision', 'snapshot', 'patch', 'restore', 'resize', 'repave', 'deprovision'].map(
        (one) => `${one} completed`,
      ),
    )
    const names = asked.map(({ data }) => (data as { name?: string }).name)
    expect(names).toEqual([undefined, undefined, ...Array(6).fill('prod-shop-007')])
    expect(new Set(asked.map((event) => (event as { id?: string }).id)).size).toBe(8)
  })

  it('ends with the first run that does not complete', async () => {
    const { asked: _, ...world } = await brokerWhere({ patch: 'rolledback' })
    const lived = await live(world, (await readLife()).life)
    expect(lived.map(({ ended }) => ended.type.split('.').at(-1))).toEqual([
      'completed',
      'completed',
      'completed',
      'rolledback',
    ])
  })
})
