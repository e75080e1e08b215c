import { generateKeyPairSync, type KeyPairKeyObjectResult, randomBytes, sign } from 'node:crypto'
import { isIPv4 } from 'node:net'

// kubectl sends a bearer token over TLS alone, Node makes no certificates, and openssl may be missing: so one is written here.

function der(tag: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  if (body.length < 128) return Buffer.concat([Buffer.from([tag, body.length]), body])
  const length = body.length < 256 ? [0x81, body.length] : [0x82, body.length >> 8, body.length & 255]
  return Buffer.concat([Buffer.from([tag, ...length]), body])
}

const sequence = (...parts: Buffer[]) => der(0x30, ...parts)
const oid = (hex: string) => der(0x06, Buffer.from(hex, 'hex'))
const time = (date: Date) => der(0x18, Buffer.from(`${date.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`))

const commonName = '550403'
const basicConstraints = '551d13'
const alternativeNames = '551d11'
const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'))

export interface Certificate {
  certificate: string
  /** Both are PEM. */
  key: string
}

/** A self-signed certificate for 127.0.0.1 and localhost, valid for ten years, and its key. */
export function selfSigned(name: string): Certificate {
  const keys = makeKeys()
  return issue({
    subject: name,
    issuer: name,
    keys,
    signedBy: keys,
    isAuthority: true,
    hosts: ['127.0.0.1', 'localhost'],
  })
}

/** An authority of its own, as companies have: its certificate, and what it issues for hosts (names or IPv4 addresses). */
export function makeAuthority(name: string): { certificate: string; issueFor(hosts: readonly string[]): Certificate } {
  const own = makeKeys()
  const { certificate } = issue({ subject: name, issuer: name, keys: own, signedBy: own, isAuthority: true, hosts: [] })
  const issueFor = (hosts: readonly string[]) =>
    issue({ subject: 'server', issuer: name, keys: makeKeys(), signedBy: own, isAuthority: false, hosts })
  return { certificate, issueFor }
}

const makeKeys = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })

interface Wanted {
  subject: string
  issuer: string
  keys: KeyPairKeyObjectResult
  signedBy: KeyPairKeyObjectResult
  isAuthority: boolean
  hosts: readonly string[]
}

function issue({ subject, issuer, keys, signedBy, isAuthority, hosts }: Wanted): Certificate {
  const called = (name: string) => sequence(der(0x31, sequence(oid(commonName), der(0x0c, Buffer.from(name)))))
  const now = Date.now()
  const validity = sequence(time(new Date(now - 3_600_000)), time(new Date(now + 3_650 * 86_400_000)))
  const serial = der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)]))
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))), // version 3
    serial,
    ecdsaWithSha256,
    called(issuer),
    validity,
    called(subject),
    keys.publicKey.export({ type: 'spki', format: 'der' }),
    extensions(isAuthority, hosts),
  )
  const signature = der(0x03, Buffer.from([0]), sign('sha256', body, signedBy.privateKey))
  const certificate = pem(sequence(body, ecdsaWithSha256, signature))
  return { certificate, key: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
}

function extensions(isAuthority: boolean, hosts: readonly string[]): Buffer {
  const authority = sequence(
    oid(basicConstraints),
    der(0x01, Buffer.from([255])),
    der(0x04, isAuthority ? sequence(der(0x01, Buffer.from([255]))) : sequence()),
  )
  const names = hosts.map((host) =>
    isIPv4(host) ? der(0x87, Buffer.from(host.split('.').map(Number))) : der(0x82, Buffer.from(host)),
  )
  const all =
    names.length === 0 ? [authority] : [authority, sequence(oid(alternativeNames), der(0x04, sequence(...names)))]
  return der(0xa3, sequence(...all))
}

function pem(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}
