import { DroverError } from '../../errors.ts'
import { type Challenge, parseChallenge } from '../../images/challenge.ts'
import type { Credentials } from '../../images/docker-config.ts'
import type { Repository } from '../../images/reference.ts'
import { type Answer, type Asked, exchange } from './exchange.ts'
import { unanswered } from './failure.ts'
import { basic, fetchToken, type Token } from './token.ts'

export interface SessionOptions {
  credentials?: Credentials | undefined
  insecure: boolean
}

/** Speaks with one repository of a registry, and says who asks when it is asked. */
export interface Session {
  /** How the repository is called in sentences. */
  where: string
  /** An address of the repository, such as `blobs/uploads/`; of upload's next step, as the registry wrote it. */
  address(path: string, base?: URL): URL
  send(method: string, url: URL, asked?: Asked): Promise<Answer>
}

export function openSession({ host, path }: Repository, { credentials, insecure }: SessionOptions): Session {
  const where = `${host}/${path}`
  const root = new URL(`${insecure ? 'http' : 'https'}://${host}/v2/${path}/`)
  let challenge: Challenge | undefined
  let token: Token | undefined

  async function authorization(): Promise<Record<string, string>> {
    if (challenge?.scheme === 'basic') return credentials ? { authorization: basic(credentials) } : {}
    if (challenge?.scheme !== 'bearer') return {}
    if (!token || token.until < Date.now())
      token = await fetchToken(challenge, { scope: `repository:${path}:pull,push`, credentials, insecure })
    return { authorization: `Bearer ${token.value}` }
  }

  async function once(method: string, url: URL, asked: Asked): Promise<Answer> {
    // An upload may go on elsewhere; the password does not.
    const own = url.origin === root.origin ? await authorization() : {}
    try {
      return await exchange(method, url, { ...asked, headers: { ...asked.headers, ...own } })
    } catch (error) {
      throw unanswered(where, error)
    }
  }

  return {
    where,
    address(location, base = root) {
      const url = URL.canParse(location, base.href) ? new URL(location, base) : undefined
      if (url?.protocol === root.protocol || url?.protocol === 'https:') return url
      throw new DroverError(
        'refused',
        `Cannot push to ${where}: it wants the upload to go on at an address that is not of https`,
      )
    },
    async send(method, url, asked = {}) {
      const answer = await once(method, url, asked)
      const wanted = answer.status === 401 ? parseChallenge(answer.headers['www-authenticate'] ?? '') : undefined
      // What was streamed is gone; a password that was refused once is refused again, and may lock the account.
      const isAnswered = challenge?.scheme === 'basic' || typeof asked.body === 'object' || url.origin !== root.origin
      if (!wanted || isAnswered) return answer
      challenge = wanted
      token = undefined
      return once(method, url, asked)
    },
  }
}
