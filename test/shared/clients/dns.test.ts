import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openResolver } from '../../../shared/clients/dns.ts'
import { type NameServer, startNameServer } from './name-server.ts'

let server: NameServer
let resolver: NonNullable<ReturnType<typeof openResolver>>
beforeAll(async () => {
  server = await startNameServer()
  server.put('A', 'web-01.example.com', '10.20.0.17')
  server.put('AAAA', 'web-01.example.com', 'fd00:20::17')
  server.put('PTR', '17.0.20.10.in-addr.arpa', 'web-01.example.com')
  server.fail('A', 'servfail.example.com', 2)
  server.fail('A', 'refused.example.com', 5)
  server.fail('A', 'silent.example.com', -1)
  resolver = openResolver([server.address]) as typeof resolver
})
afterAll(() => server.close())

describe('the resolver', () => {
  it.each([
    ['A', 'web-01.example.com', ['10.20.0.17']],
    ['AAAA', 'web-01.example.com', ['fd00:20::17']],
    ['PTR', '17.0.20.10.in-addr.arpa', ['web-01.example.com']],
    ['A', 'nobody.example.com', []],
    ['A', 'servfail.example.com', []],
    ['A', 'refused.example.com', []],
  ] as const)('finds the %s of %s: %j', async (type, name, targets) => {
    expect(await resolver.resolve(name, type)).toEqual(targets)
  })

  it('finds nothing where nobody answers', { timeout: 15_000 }, async () => {
    expect(await resolver.resolve('silent.example.com', 'A')).toEqual([])
  })

  it('is not there where no server is named', () => {
    expect(openResolver([])).toBeUndefined()
  })
})
