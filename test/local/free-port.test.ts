import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { freePorts } from '../../local/free-port.ts'

describe('free ports', () => {
  it('are different ones, and can be listened on', async () => {
    const ports = await freePorts(50)
    expect(new Set(ports).size).toBe(50)
    const servers = ports.map((port) => createServer().listen(port))
    await Promise.all(servers.map((server) => once(server, 'listening')))
    for (const server of servers) server.close()
  })

  it('are none of those that systems give out by themselves', async () => {
    for (const port of await freePorts(50)) expect(port).toBeLessThan(32_768)
  })

  it('are other ones for each process that asks, though none listens on them yet', async () => {
    const asking = new URL('asks-for-ports.ts', import.meta.url).pathname
    const children = Array.from({ length: 6 }, () => fork(asking, ['60']))
    onTestFinished(() => {
      for (const child of children) child.kill()
    })
    const answers = await Promise.all(children.map(async (child) => (await once(child, 'message'))[0] as number[]))
    expect(new Set(answers.flat()).size).toBe(6 * 60)
  })

  it('are never given out twice by one process, even at once', async () => {
    const answers = await Promise.all(Array.from({ length: 200 }, () => freePorts(2)))
    expect(new Set(answers.flat()).size).toBe(200 * 2)
  })
})
