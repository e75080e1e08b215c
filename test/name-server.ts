import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import ipaddr from 'ipaddr.js'

/** The little of DNS (RFC 1035, RFC 3596) that a name server with one answer per question needs. */

/** The target of a record, or how a server says that it has none. */
export type Found = { target: string } | 'no such name' | 'failure' | 'refusal' | 'silence'

/** What is found of a type and a name, such as `A` and `web-01.example.com`. */
export type Lookup = (type: string, name: string) => Found | Promise<Found>

export interface NameServer {
  /** As a resolver is configured: `address:port`. */
  address: string
  close(): void
}

const types: Record<number, string> = { 1: 'A', 12: 'PTR', 28: 'AAAA' }
const codes = { failure: 2, 'no such name': 3, refusal: 5 } as const

/** Answers by the lookup, over UDP on the loopback interface. */
export async function startNameServer(lookup: Lookup): Promise<NameServer> {
  const server = createSocket('udp4').bind(0, '127.0.0.1')
  await once(server, 'listening')
  server.on('message', async (message, from) => {
    const answer = await answerTo(message, lookup)
    if (answer) server.send(answer, from.port, from.address)
  })
  return { address: `127.0.0.1:${server.address().port}`, close: () => server.close() }
}

async function answerTo(message: Buffer, lookup: Lookup): Promise<Buffer | undefined> {
  const { type, name, bytes } = questionIn(message)
  const found = await lookup(type, name)
  if (found === 'silence') return undefined
  const header = (code: number, answers: number) =>
    Buffer.from([...message.subarray(0, 2), 0x81, 0x80 | code, 0, 1, 0, answers, 0, 0, 0, 0])
  if (typeof found === 'string') return Buffer.concat([header(codes[found], 0), bytes])
  const data = type === 'PTR' ? wire(found.target) : Buffer.from(ipaddr.parse(found.target).toByteArray())
  const record = Buffer.from([0xc0, 12, ...bytes.subarray(-4), 0, 0, 0, 60, 0, data.length])
  return Buffer.concat([header(0, 1), bytes, record, data])
}

function questionIn(message: Buffer): { type: string; name: string; bytes: Buffer } {
  const labels: string[] = []
  let at = 12
  for (let length = message.readUInt8(at); length > 0; length = message.readUInt8(at)) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length))
    at += length + 1
  }
  const type = types[message.readUInt16BE(at + 1)] ?? '?'
  return { type, name: labels.join('.'), bytes: message.subarray(12, at + 5) }
}

function wire(name: string): Buffer {
  const labels = name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]))
  return Buffer.concat([...labels, Buffer.from([0])])
}
