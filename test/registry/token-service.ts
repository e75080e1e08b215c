import { createHash, sign, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type Authority, account } from './registry.ts'

export interface TokenService {
  realm: string
  /** What the registry needs to know of it. */
  auth(authority: Authority): Record<string, object>
  /** The scopes that tokens were asked for, with the right password. */
  asked: string[]
  close(): Promise<void>
}

/** A token service as registries have them: gives a token to who knows the password, for as short as half a second. */
export async function startTokenService(directory: string): Promise<TokenService> {
  const asked: string[] = []
  let signer = { certificate: '', key: '' }
  const server = createServer((request, response) => {
    const wanted = `Basic ${Buffer.from(`${account.username}:${account.password}`).toString('base64')}`
    if (request.headers.authorization !== wanted) return void response.writeHead(401).end('{"details":"bad password"}')
    const { searchParams } = new URL(request.url ?? '', 'https://token.test')
    const scope = searchParams.get('scope') ?? ''
    asked.push(scope)
    const token = toToken(signer, searchParams.get('service') ?? '', scope)
    return void response.end(JSON.stringify({ token, expires_in: 1 }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const realm = `https://127.0.0.1:${(server.address() as AddressInfo).port}/token`
  return {
    realm,
    asked,
    auth(authority) {
      signer = authority.issueFor(['127.0.0.1'])
      server.setSecureContext({ cert: signer.certificate, key: signer.key })
      const rootcertbundle = join(directory, 'token-roots.pem')
      writeFileSync(rootcertbundle, authority.certificate)
      return { token: { realm, service: 'registry.test', issuer: 'tokens.test', rootcertbundle } }
    },
    async close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

const encoded = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')

/** A JSON Web Token as https://distribution.github.io/distribution/spec/auth/jwt/ has it. */
function toToken({ certificate, key }: { certificate: string; key: string }, aud: string, scope: string): string {
  const [type, name, actions = ''] = scope.split(':')
  const now = Math.floor(Date.now() / 1000)
  const access = [{ type, name, actions: actions.split(',') }]
  const claims = { iss: 'tokens.test', sub: account.username, aud, nbf: now - 10, iat: now, exp: now + 60, access }
  const { raw } = new X509Certificate(certificate)
  const kid = createHash('sha256').update(raw).digest('hex')
  const signed = `${encoded({ typ: 'JWT', alg: 'ES256', kid, x5c: [raw.toString('base64')] })}.${encoded({ ...claims, jti: `${now}` })}`
  const signature = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' })
  return `${signed}.${signature.toString('base64url')}`
}
