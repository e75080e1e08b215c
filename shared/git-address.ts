import { DroverError } from './errors.ts'

/** An address of the fleet repository, and the credentials that stood in it, apart from each other. */
export interface Address {
  url: string
  scheme: string
  username: string
  password: string
}

/** The host of an address, in either way to write it. */
export function gitHost(url: string): string {
  if (URL.canParse(url)) return new URL(url).hostname
  // As ssh writes it: user@host:path.
  const [host = ''] = url.slice(url.indexOf('@') + 1).split(':', 1)
  return host.toLowerCase()
}

/** Reads an address; throws when Git should not be let near it. */
export function parseAddress(text: string): Address {
  // As ssh writes it: user@host:path.
  if (/^\w[\w.-]*@\w[\w.-]*:[^-:]/.test(text)) return { url: text, scheme: 'ssh', username: '', password: '' }
  const url = URL.canParse(text) ? new URL(text) : undefined
  const scheme = url?.protocol.slice(0, -1)
  if (!url || !scheme || !['http', 'https', 'ssh', 'file'].includes(scheme) || url.hostname.startsWith('-')) {
    throw new DroverError(
      'broken',
      'Cannot use the address of the fleet repository: it must begin with https, http, ssh or file',
    )
  }
  const [username, password] = [decodeURIComponent(url.username), decodeURIComponent(url.password)]
  if (scheme !== 'ssh') url.username = ''
  url.password = ''
  return { url: url.href, scheme, username, password }
}
