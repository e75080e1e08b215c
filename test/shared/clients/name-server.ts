import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import ipaddr from 'ipaddr.js'

/** The little of DNS (RFC 1035, RFC 3596) that a name server with one answer per question needs. */
export interface NameServer {
  /** `address:port`, as the resolver takes it. */
  address: string
  put(type: Type, name: string, target: string): void
  remove(type: Type, name: string): void
  /** From now on a question is answered with this code; with none at all where it is negative. */
  fail(type: Type, name: string, code: number): void
  close(): void
}

export type Type = 'A' | 'AAAA' | 'PTR'

const types: Record<number, Type> = { 1: 'A', 12: 'PTR', 28: 'AAAA' }
const noSuchName = 3

/** Starts one that knows nothing yet. */
export async function startNameServer(): Promise<NameServer> {
  const zone = new Map<string, Buffer>()
  const codes = new Map<string, number>()
  const server = createSocket('udp4').bind(0, '127.0.0.1')
  await once(server, 'listening')
  server.on('message', (message, from) => {
    const { text, bytes } = questionIn(message)
    const data = zone.get(text)
    const code = data ? 0 : (codes.get(text) ?? noSuchName)
    if (code >= 0) server.send(answerTo(message, bytes, data, code), from.port, from.address)
  })
  return {
    address: `127.0.0.1:${server.address().port}`,
    put: (type, name, target) => void zone.set(`${type} ${name}`, type === 'PTR' ? wire(target) : bytesOf(target)),
    remove: (type, name) => void zone.delete(`${type} ${name}`),
    fail: (type, name, code) => void codes.set(`${type} ${name}`, code),
    close: () => server.close(),
  }
}

const bytesOf = (address: string) => Buffer.from(ipaddr.parse(address).toByteArray())

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

function answerTo(message: Buffer, question: Buffer, data: Buffer | undefined, code: number): Buffer {
  const header = Buffer.from([...message.subarray(0, 2), 0x81, 0x80 | code, 0, 1, 0, data ? 1 : 0, 0, 0, 0, 0])
  if (!data) return Buffer.concat([header, question])
  const record = Buffer.from([0xc0, 12, ...question.subarray(-4), 0, 0, 0, 60, 0, data.length])
  return Buffer.concat([header, question, record, data])
}
