import { DroverError } from '../../errors.ts'
import type { Challenge } from '../../images/challenge.ts'
import type { Credentials } from '../../images/docker-config.ts'
import { exchange } from './exchange.ts'
import { unanswered, unwanted } from './failure.ts'

export interface Token {
  value: string
  /** When it has to be renewed, in milliseconds. */
  until: number
}

interface Ask {
  scope: string
  credentials: Credentials | undefined
  insecure: boolean
}

/** Gets a token where the registry says that they are given; https://distribution.github.io/distribution/spec/auth/token/. */
export async function fetchToken(
  challenge: Challenge & { scheme: 'bearer' },
  { scope, credentials, insecure }: Ask,
): Promise<Token> {
  const url = realmOf(challenge.realm, insecure)
  if (challenge.service !== undefined) url.searchParams.set('service', challenge.service)
  url.searchParams.set('scope', scope)
  const headers: Record<string, string> = credentials ? { authorization: basic(credentials) } : {}
  const answer = await exchange('GET', url, { headers }).catch((error) => {
    throw unanswered(url.host, error)
  })
  if (answer.status !== 200) throw unwanted(url.host, 'a request for a token', answer)
  return parseToken(answer.text, url.host)
}

export const basic = ({ username, password }: Credentials) =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`

/** Who may see the password is said by the registry; that nobody else does is for TLS. */
function realmOf(realm: string, insecure: boolean): URL {
  const url = URL.canParse(realm) ? new URL(realm) : undefined
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && insecure)
  if (url && isSafe && url.username === '' && url.password === '') return url
  throw new DroverError(
    'refused',
    `Cannot get a token${url ? ` from ${url.host}` : ''}: the registry names no address of https for it`,
  )
}

/** Without `expires_in` a token holds for a minute. It is renewed early: a request may take its time. */
function parseToken(text: string, where: string): Token {
  const { token, access_token, expires_in } = parsed(text)
  const value = token ?? access_token
  // What does not fit into a header would be shown by the error that follows.
  if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value))
    throw new DroverError('refused', `Cannot get a token from ${where}: its answer has none`)
  const seconds = typeof expires_in === 'number' ? expires_in : 60
  return { value, until: Date.now() + Math.max(seconds - 15, seconds / 2) * 1000 }
}

function parsed(text: string): Record<string, unknown> {
  try {
    return { ...(JSON.parse(text) as object) }
  } catch {
    return {}
  }
}
