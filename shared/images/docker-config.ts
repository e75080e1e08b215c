import type { Repository } from './reference.ts'

export interface Credentials {
  username: string
  password: string
}

interface Entry {
  auth?: unknown
  username?: unknown
  password?: unknown
}

/**
 * The credentials that a docker config (`kubernetes.io/dockerconfigjson`) has for a repository. An entry may name a host, or a
 * path of it; the longest wins, as with kubelet. Undefined where it has none, or is no docker config.
 */
export function credentialsOf(text: string, { host, path }: Repository): Credentials | undefined {
  const entries = Object.entries(authsOf(text)).map(([key, entry]) => [hostAndPath(key), entry] as const)
  const wanted = `${host}/${path}/`
  const [found] = entries
    .filter(([key]) => wanted.startsWith(`${key}/`))
    .sort(([one], [other]) => other.length - one.length)
  return found && toCredentials(found[1])
}

function authsOf(text: string): Record<string, Entry> {
  try {
    const { auths } = JSON.parse(text) as { auths?: unknown }
    return typeof auths === 'object' && auths !== null ? (auths as Record<string, Entry>) : {}
  } catch {
    // The parser's sentence would show what it stumbled over, which is a secret.
    return {}
  }
}

/** Docker once wrote addresses: `https://registry.example.com/v1/`. */
const hostAndPath = (key: string) => key.replace(/^https?:\/\//, '').replace(/(\/v[12])?\/?$/, '')

function toCredentials({ auth, username, password }: Entry): Credentials | undefined {
  if (typeof username === 'string' && typeof password === 'string') return { username, password }
  if (typeof auth !== 'string') return undefined
  const [, user, secret] = /^([^:]+):(.*)$/s.exec(Buffer.from(auth, 'base64').toString('utf8')) ?? []
  return user === undefined || secret === undefined ? undefined : { username: user, password: secret }
}
