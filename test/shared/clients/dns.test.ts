import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openResolver } from '../../../shared/clients/dns.ts'
import { type Found, type NameServer, startNameServer } from '../../name-server.ts'
import { growth } from '../metrics.ts'

const zone: Record<string, Found> = {
  'A web-01.example.com': { target: '10.20.0.17' },
  'AAAA web-01.example.com': { target: 'fd00:20::17' },
  'PTR 17.0.20.10.in-addr.arpa': { target: 'web-01.example.com' },
  'A servfail.example.com': 'failure',
  'A refused.example.com': 'refusal',
  'A silent.example.com': 'silence',
}

let server: NameServer
let resolver: NonNullable<ReturnType<typeof openResolver>>
beforeAll(async () => {
  server = await startNameServer((type, name) => zone[`${type} ${name}`] ?? 'no such name')
  resolver = openResolver([server.address]) as typeof resolver
})
afterAll(() => server.close())

describe('the resolver', () => {
  it.each([
    ['A', 'web-01.example.com', ['10.20.0.17']],
    ['AAAA', 'web-01.example.com', ['fd00:20::17']],
    ['PTR', '17.0.20.10.in-addr.arpa', ['web-01.example.com']],
    ['A', 'nobody.example.com', []],
    ['PTR', 'web-01.example.com', []],
  ] as const)('finds the %s of %s: %j', async (type, name, targets) => {
    expect(await resolver.resolve(name, type)).toEqual(targets)
  })

  // A record that nobody can be asked for may well be there.
  it.each(['servfail', 'refused', 'silent'])(
    'does not know where the server is %s',
    { timeout: 15_000 },
    async (how) => {
      expect(await resolver.resolve(`${how}.example.com`, 'A')).toBeUndefined()
    },
  )

  // A name that is gone is what a deprovision waits for: nothing has failed.
  it.each([
    ['web-01', 'ok'],
    ['nobody', 'none'],
    ['servfail', 'failed'],
  ])('counts a question for %s as "%s"', async (name, outcome) => {
    const ask = () => resolver.resolve(`${name}.example.com`, 'A')
    const calls = growth('drover_calls_total', { to: 'dns' }, () =>
      expect(growth('drover_calls_total', { to: 'dns', outcome }, ask)).resolves.toBe(1),
    )
    expect(await calls).toBe(1)
  })

  it('is not there where no server is named', () => {
    expect(openResolver([])).toBeUndefined()
  })
})
