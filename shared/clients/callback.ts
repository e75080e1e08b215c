import { lookup as resolve } from 'node:dns'
import http from 'node:http'
import https from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'
import { DroverError } from '../errors.ts'

export interface CallbackOptions {
  /** Callbacks into private networks; http:// is allowed with it. Otherwise only public addresses over https. */
  allowPrivate: boolean
}

const timeout = 10_000

/**
 * Posts to an address that a requester named. The name is resolved once and that very address is connected to, so it
 * cannot point elsewhere between check and use; redirects are not followed; the answer's body is not read.
 */
export function callbackPoster({ allowPrivate }: CallbackOptions) {
  return {
    async post(url: string, headers: Record<string, string>, body: string): Promise<number> {
      const target = new URL(url)
      if (target.protocol !== 'https:' && !(allowPrivate && target.protocol === 'http:'))
        throw refusal(target, 'wanted https')
      if (target.username !== '' || target.password !== '') throw refusal(target, 'it holds a user name or password')
      const host = target.hostname.replace(/^\[|\]$/g, '')
      if (isIP(host) !== 0 && !allowPrivate && !isPublic(host)) throw refusal(target, 'it is not a public address')
      return request(target, headers, body, allowPrivate)
    },
  }
}

const refusal = (target: URL, why: string) => new DroverError('refused', `Cannot call back ${target.host}: ${why}`)

/** True for an address of the public Internet: none of the private, link-local, loopback or reserved ranges. */
export function isPublic(address: string): boolean {
  const parsed = ipaddr.process(address)
  // Of IPv6 only 2000::/3 is given out; the rest is reserved, or another way to write an IPv4 address.
  const isGivenOut = !(parsed instanceof ipaddr.IPv6) || ((parsed.parts[0] ?? 0) & 0xe000) === 0x2000
  return parsed.range() === 'unicast' && isGivenOut
}

function request(target: URL, headers: Record<string, string>, body: string, allowPrivate: boolean): Promise<number> {
  const { request: open } = target.protocol === 'https:' ? https : http
  return new Promise((done, failed) => {
    const outgoing = open(
      target,
      { method: 'POST', headers, lookup: pinned(allowPrivate), timeout, signal: AbortSignal.timeout(timeout) },
      (response) => {
        response.destroy()
        done(response.statusCode ?? 0)
      },
    )
    outgoing.on('timeout', () => outgoing.destroy(new Error('timeout')))
    outgoing.on('error', (cause) =>
      failed(
        cause instanceof DroverError ? cause : new DroverError('broken', `Cannot call back ${target.host}`, { cause }),
      ),
    )
    outgoing.end(body)
  })
}

/** Name resolution that fails where the name points to an address that must not be reached. */
function pinned(allowPrivate: boolean): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, options, (error, address, family) => {
      const found = typeof address === 'string' ? [address] : (address ?? []).map((one) => one.address)
      if (!error && !allowPrivate && !found.every(isPublic)) {
        return callback(new DroverError('refused', `Cannot call back ${hostname}: it is not a public address`), '', 0)
      }
      return callback(error, address, family)
    })
  }
}
