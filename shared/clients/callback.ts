import { lookup as resolve } from 'node:dns'
import http from 'node:http'
import https from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { DroverError } from '../errors.ts'
import { isLoopback, isPrivate, isPublic, type Reach } from '../inside.ts'
import { outside } from '../telemetry/outside.ts'

export interface CallbackOptions {
  reach: Reach
}

const timeout = 10_000

/**
 * Posts to an address that a requester named. The name is resolved once and that very address is connected to, so it
 * cannot point elsewhere between check and use; redirects are not followed; the answer's body is not read.
 */
export function callbackPoster({ reach }: CallbackOptions) {
  return {
    async post(url: string, headers: Record<string, string>, body: string): Promise<number> {
      const target = new URL(url)
      if (target.protocol !== 'https:' && !(reach !== 'public' && target.protocol === 'http:'))
        throw refusal(target, 'wanted https')
      if (target.username !== '' || target.password !== '') throw refusal(target, 'it holds a user name or password')
      const host = target.hostname.replace(/^\[|\]$/g, '')
      if (isIP(host) !== 0 && isOut(host, reach)) throw refusal(target, 'it is not a public address')
      const call = { to: 'callback', what: 'post', host } as const
      return outside(call, () => request(target, headers, body, reach), answered)
    },
  }
}

/** What a requester's server answers is passed on; whether that is an error is theirs to say. */
const answered = (status: number) => ({ outcome: status < 400 ? 'ok' : String(status) })

const refusal = (target: URL, why: string) => new DroverError('refused', `Cannot call back ${target.host}: ${why}`)

/** An address that must not be reached; with private ones allowed, what is neither private nor public is still out of reach. */
const isOut = (address: string, reach: Reach) =>
  !isPublic(address) && !(reach !== 'public' && isPrivate(address)) && !(reach === 'loopback' && isLoopback(address))

function request(target: URL, headers: Record<string, string>, body: string, reach: Reach): Promise<number> {
  const { request: open } = target.protocol === 'https:' ? https : http
  return new Promise((done, failed) => {
    const outgoing = open(
      target,
      { method: 'POST', headers, lookup: pinned(reach), timeout, signal: AbortSignal.timeout(timeout) },
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
function pinned(reach: Reach): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, options, (error, address, family) => {
      const found = typeof address === 'string' ? [address] : (address ?? []).map((one) => one.address)
      if (!error && found.some((one) => isOut(one, reach))) {
        return callback(new DroverError('refused', `Cannot call back ${hostname}: it is not a public address`), '', 0)
      }
      return callback(error, address, family)
    })
  }
}
