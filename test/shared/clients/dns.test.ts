import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openResolver } from '../../../shared/clients/dns.ts'

/** The little of DNS (RFC 1035, RFC 3596) that a name server with one answer per question needs. */
const types: Record<number, string> = { 1: 'A', 12: 'PTR', 28: 'AAAA' }
const zone: Record<string, Buffer> = {
  'A web-01.example.com': Buffer.from([10, 20, 0, 17]),
  'AAAA web-01.example.com': Buffer.from('fd000020000000000000000000000017', 'hex'),
  'PTR 17.0.20.10.in-addr.arpa': wire('web-01.example.com'),
}
const codes: Record<string, number> = {
  'A servfail.example.com': 2,
  'A refused.example.com': 5,
  'A silent.example.com': -1,
}

function wire(name: string): Buffer {
  const labels = name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]))
  return Buffer.concat([...labels, Buffer.from([0])])
}

function questionIn(message: Buffer): { text: string; bytes: Buffer } {
  const labels: string[] = []
  let at = 12
  for (let length = message.readUInt8(at); length > 0; length = message.readUInt8(at)) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length))
    at += length + 1
  }
  const type = types[message.readUInt16BE(at + 1)] ?? '?'
  return { text: `${type} ${labels.join('.')}`, bytes: message.subarray(12, at + 5) }
}

function answerTo(message: Buffer): Buffer | undefined {
  const { text, bytes } = questionIn(message)
  const data = zone[text]
  const code = data ? 0 : (codes[text] ?? 3)
  if (code < 0) return undefined
  const header = Buffer.from([...message.subarray(0, 2), 0x81, 0x80 | code, 0, 1, 0, data ? 1 : 0, 0, 0, 0, 0])
  if (!data) return Buffer.concat([header, bytes])
  const record = Buffer.from([0xc0, 12, ...bytes.subarray(-4), 0, 0, 0, 60, 0, data.length])
  return Buffer.concat([header, bytes, record, data])
}

let server: Socket
let resolver: NonNullable<ReturnType<typeof openResolver>>
beforeAll(async () => {
  server = createSocket('udp4').bind(0, '127.0.0.1')
  await once(server, 'listening')
  server.on('message', (message, from) => {
    const answer = answerTo(message)
    if (answer) server.send(answer, from.port, from.address)
  })
  resolver = openResolver([`127.0.0.1:${server.address().port}`]) as typeof resolver
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
