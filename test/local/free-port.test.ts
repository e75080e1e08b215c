import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
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
})
