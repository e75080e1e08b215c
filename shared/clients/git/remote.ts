import { DroverError } from '../../errors.ts'

export interface RemoteConfig {
  url: string
  token?: string | (() => Promise<string>)
  username?: string
  scheme?: 'basic' | 'bearer'
  env?: Readonly<Record<string, string | undefined>>
}

/** Where the fleet repository is. The address holds no credentials; those travel in the environment of each child. */
export interface Remote {
  readonly url: string
  /** Everything a Git child process gets to know, with the token of this moment. */
  environment(): Promise<Record<string, string>>
  /** The text without any secret that this remote has handed out. */
  redact(text: string): string
}

const PASSED_ON = [
  ...['PATH', 'HOME', 'TMPDIR', 'SSH_AUTH_SOCK', 'SSL_CERT_FILE', 'SSL_CERT_DIR', 'GIT_SSL_CAINFO', 'GIT_SSL_CAPATH'],
  ...['http_proxy', 'https_proxy', 'HTTPS_PROXY', 'no_proxy', 'NO_PROXY', 'all_proxy', 'ALL_PROXY'],
]

/** Reads the address and separates the credentials from it; throws when Git should not be let near it. */
export function toRemote(config: RemoteConfig): Remote {
  const { url, scheme, username, password } = splitUrl(config.url)
  const secrets = new Set<string>(password ? [password] : [])
  const user = config.username ?? (username || 'x-access-token')
  const environment = async () => {
    const token = typeof config.token === 'function' ? await config.token() : (config.token ?? password)
    const entries = settings(scheme)
    if (token && scheme.startsWith('http')) {
      const basic = Buffer.from(`${user}:${token}`).toString('base64')
      for (const secret of [token, basic, encodeURIComponent(token)]) secrets.add(secret)
      const value = config.scheme === 'bearer' ? `Bearer ${token}` : `Basic ${basic}`
      // Bound to the host, so that it cannot follow a submodule or an alternate to somewhere else.
      entries.push([`http.${new URL(url).origin}/.extraHeader`, `Authorization: ${value}`])
    }
    return { ...base(config.env), ...toVariables(entries) }
  }
  const redact = (text: string) => [...secrets].reduce((rest, secret) => rest.replaceAll(secret, '***'), text)
  return { url, environment, redact }
}

function splitUrl(text: string): { url: string; scheme: string; username: string; password: string } {
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

function settings(scheme: string): [string, string][] {
  return [
    ['protocol.allow', 'never'],
    [`protocol.${scheme}.allow`, 'always'],
    ['protocol.version', '2'],
    ['core.hooksPath', '/dev/null'],
    ['core.askPass', ''],
    ['credential.helper', ''],
    // A redirect would carry the token to wherever it points.
    ['http.followRedirects', 'false'],
    ['http.lowSpeedLimit', '1'],
    ['http.lowSpeedTime', '60'],
    ['submodule.recurse', 'false'],
    ['push.negotiate', 'false'],
    // Tidying is done between rounds, never in the middle of one; nothing here must survive a crash of the machine.
    ['gc.auto', '0'],
    ['gc.autoDetach', 'false'],
    ['maintenance.auto', 'false'],
    ['core.fsync', 'none'],
  ]
}

function base(given: RemoteConfig['env']): Record<string, string> {
  const passed = PASSED_ON.flatMap((name) => (given?.[name] === undefined ? [] : [[name, given[name]]]))
  return {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    ...Object.fromEntries(passed),
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_SSH_COMMAND: 'ssh -oBatchMode=yes',
  }
}

function toVariables(entries: readonly [string, string][]): Record<string, string> {
  const variables: Record<string, string> = { GIT_CONFIG_COUNT: String(entries.length) }
  for (const [index, [key, value]] of entries.entries()) {
    variables[`GIT_CONFIG_KEY_${index}`] = key
    variables[`GIT_CONFIG_VALUE_${index}`] = value
  }
  return variables
}
