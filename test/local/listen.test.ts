import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { listenAt } from '../../local/listen.ts'

describe('listenAt', () => {
  it('answers which free port it took, and says it where one is taken', async () => {
    const [first, second] = [createServer(), createServer()]
    const port = await listenAt(first, 0)
    expect(first.address()).toMatchObject({ port, address: '127.0.0.1' })
    await expect(listenAt(second, port)).rejects.toThrow(`Cannot listen at port ${port}: listen EADDRINUSE`)
    first.close()
    await once(first, 'close')
    expect(await listenAt(second, port)).toBe(port)
    second.close()
  })
})
