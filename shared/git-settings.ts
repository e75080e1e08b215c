import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { type Address, gitHost, parseAddress } from './git-address.ts'
import { type Environment, isReadable, secret } from './mounted.ts'

/** What the configuration says about the fleet repository: where it is, and how Git gets there. */
export interface GitSettings {
  url: string
  branch: string
  username?: string
  /** Read at each use, so that a rotated Secret is taken up. */
  token?: () => Promise<string>
  caFile?: string
  /** Both are read at each use. */
  ssh?: { keyFile: string; knownHostsFile: string }
  directory: string
  /** How much goes into one push, and how long until the next. */
  window: { runs: number; milliseconds: number }
  author: { name: string; email: string }
  env: Record<string, string>
}

/** What variables say; what is missing or wrong it notes among the problems. */
interface Reader {
  text(name: string, fallback?: string): string
  number(name: string, fallback: number, least: number, most: number): number
}

/** GitHub asks for six pushes a minute at most. */
const GITHUB = ['github.com', 'ssh.github.com']

/** Reads the settings of the fleet repository. */
export function gitSettings(env: Environment, { text, number }: Reader, problems: string[]): GitSettings {
  const url = gitAddress(env, text('DROVER_GIT_URL'), 'DROVER_GIT_URL', problems)
  const tokenFile = env['DROVER_GIT_TOKEN_FILE']
  if (tokenFile !== undefined && !isReadable(tokenFile))
    problems.push('DROVER_GIT_TOKEN_FILE names a file that cannot be read')
  return {
    url,
    branch: text('DROVER_GIT_BRANCH', 'main'),
    ...(env['DROVER_GIT_USERNAME'] ? { username: env['DROVER_GIT_USERNAME'] } : {}),
    ...secret(env, 'DROVER_GIT_TOKEN'),
    ...authorities(env['DROVER_GIT_CA_FILE'], problems),
    ...ssh(env, url, text, problems),
    directory: text('DROVER_GIT_DIRECTORY', join(tmpdir(), `drover-fleet-${process.pid}`)),
    window: {
      runs: 100,
      milliseconds: number('DROVER_GIT_PUSH_SECONDS', GITHUB.includes(gitHost(url)) ? 10 : 0, 0, 30) * 1_000,
    },
    author: { name: text('DROVER_GIT_AUTHOR', 'Drover'), email: text('DROVER_GIT_EMAIL', 'drover@localhost') },
    env: { PATH: env['PATH'] ?? '/usr/bin:/bin', HOME: env['HOME'] ?? tmpdir(), ...proxies(env, problems) },
  }
}

/** The address of a Git repository; it is not repeated where it is wrong, for it may hold a password. */
export function gitAddress(env: Environment, address: string, variable: string, problems: string[]): string {
  // One that is not set or empty has been noted already.
  if (!env[variable]) return address
  const parsed = parsedAddress(address)
  if (!parsed) problems.push(`${variable} is no address of a Git repository, wanted one of https, http or ssh`)
  else if (parsed.password !== '')
    problems.push(`${variable} holds a password, wanted in the file of DROVER_GIT_TOKEN_FILE`)
  return address
}

function parsedAddress(address: string): Address | undefined {
  try {
    return parseAddress(address)
  } catch {
    return undefined
  }
}

function authorities(file: string | undefined, problems: string[]): Pick<GitSettings, 'caFile'> {
  if (file === undefined) return {}
  if (!isCertificate(contentOf(file))) problems.push('DROVER_GIT_CA_FILE names no file with a certificate (PEM)')
  return { caFile: file }
}

function isCertificate(text: string): boolean {
  try {
    // It would take DER too, which curl does not.
    return text.includes('-----BEGIN CERTIFICATE-----') && new X509Certificate(text).raw.length > 0
  } catch {
    return false
  }
}

/** Whether the function has anything to do with the fleet repository: it needs no address of it and no key to it. */
export const usesGit = (env: Environment): boolean => !['verify', 'notify'].includes(env['FUNCTION'] ?? '')

function ssh(
  env: Environment,
  url: string,
  text: (name: string, fallback?: string) => string,
  problems: string[],
): Pick<GitSettings, 'ssh'> {
  const needed = parsedAddress(url)?.scheme === 'ssh' && usesGit(env)
  const keyFile = text('DROVER_GIT_SSH_KEY_FILE', needed ? undefined : '')
  const knownHostsFile = text('DROVER_GIT_KNOWN_HOSTS_FILE', needed ? undefined : '')
  if (!needed) return {}
  const key = contentOf(keyFile)
  if (keyFile !== '' && !/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(key))
    problems.push('DROVER_GIT_SSH_KEY_FILE names no file with a private key')
  else if (isLocked(key)) problems.push('DROVER_GIT_SSH_KEY_FILE names a key with a passphrase, wanted one without')
  if (knownHostsFile !== '' && contentOf(knownHostsFile).trim() === '')
    problems.push('DROVER_GIT_KNOWN_HOSTS_FILE names no file with keys of hosts, wanted what ssh-keyscan prints')
  if (!hasName())
    problems.push(
      `DROVER_GIT_URL is an address of ssh, which runs only for a user with a name: /etc/passwd has none for ${process.geteuid?.()}`,
    )
  return { ssh: { keyFile, knownHostsFile } }
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

/** OpenSSH names the cipher at the beginning of a key, PEM in its head. */
function isLocked(key: string): boolean {
  if (key.includes('ENCRYPTED')) return true
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([^-]+)/.exec(key)?.[1]
  return body !== undefined && Buffer.from(body, 'base64').toString('latin1', 19, 23) !== 'none'
}

function hasName(): boolean {
  try {
    return userInfo().username !== ''
  } catch {
    return false
  }
}

/** As Git reads them, from what is set in small or in capital letters: the capital HTTP_PROXY would not be heeded. */
function proxies(env: Environment, problems: string[]): Record<string, string> {
  const found: Record<string, string> = {}
  for (const name of ['http_proxy', 'https_proxy', 'all_proxy', 'no_proxy']) {
    const given = env[name] === undefined ? name.toUpperCase() : name
    const value = env[given]
    if (!value) continue
    found[name] = value
    if (name !== 'no_proxy' && !isProxy(value))
      problems.push(`${given} is no address of a proxy; signs such as @ in its password must be encoded (%40)`)
  }
  return found
}

// A second @ is one that a password holds: Git would take what follows for a part of the host.
const isProxy = (text: string) =>
  /^(?:(?:https?|socks\w*):\/\/)?(?:[^@/]*@)?[^@/]+\/?$/.test(text) &&
  URL.canParse(text.includes('://') ? text : `http://${text}`)
