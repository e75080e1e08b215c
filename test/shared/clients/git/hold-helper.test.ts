import { createServer, type ServerResponse } from 'node:http'
import { expect, it, onTestFinished, vi } from 'vitest'
import { listenAt } from '../../../../local/listen.ts'
import { holdHelper } from '../../../../shared/clients/git/hold-helper.ts'
import { toRemote } from '../../../../shared/clients/git/remote.ts'

it('a helper is let go when nobody has used it for a while, and not while it waits for an answer', async () => {
  const waiting: ServerResponse[] = []
  const server = createServer((_, response) => void waiting.push(response))
  const url = `http://127.0.0.1:${await listenAt(server, 0)}/fleet.git`
  onTestFinished(() => void server.close())
  const held = holdHelper({
    ...{ remote: toRemote({ url, directory: '/tmp' }), branch: 'main', directory: '/tmp', running: new Set() },
    timeouts: { clone: 1, fetch: 1, push: 1, local: 1 },
    signal: new AbortController().signal,
    onRemake: () => undefined,
  })
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const { helper } = await held.of('/tmp')
  const asking = helper.ask('list\n', (answer) => answer.endsWith('\n'), 300_000)
  await vi.waitUntil(() => waiting.length > 0)
  vi.advanceTimersByTime(60_000)
  expect([helper.isBusy, helper.ended, (await held.of('/tmp')).isNew]).toEqual([true, false, false])
  waiting[0]?.writeHead(404).end()
  await asking
  expect(helper.isBusy).toBe(false)
  const { helper: next, isNew } = await held.of('/tmp')
  expect(isNew).toBe(true)
  vi.advanceTimersByTime(21_000)
  vi.useRealTimers()
  await vi.waitUntil(() => next.ended)
})
