import { DroverError } from '../../errors.ts'
import { parseAddress } from '../../git-address.ts'
import { openRedactor } from './redact.ts'
import { openSsh, type SshConfig } from './ssh.ts'

export interface RemoteConfig {
  url: string
  token?: string | (() => Promise<string>)
  username?: string
  /** A file with the certificates of the authorities that may vouch for the server. */
  caFile?: string
  /** Needed for an address of ssh. */
  ssh?: SshConfig
  /** A folder for what ssh needs. */
  directory: string
  env?: Readonly<Record<string, string | undefined>>
}

/** Where the fleet repository is. The address holds no credentials; those travel in the environment of each child. */
export interface Remote {
  readonly url: string
  /** Everything a Git child process gets to know, with the token and the key of this moment. */
  environment(): Promise<Record<string, string>>
  /** The text without any secret that this remote has handed out. */
  redact(text: string): string
  close(): Promise<void>
}

const PROXIES = ['http_proxy', 'https_proxy', 'all_proxy']
const PASSED_ON = ['PATH', 'HOME', ...PROXIES, 'no_proxy']

/** Reads the address and separates the credentials from it; throws when Git should not be let near it. */
export function toRemote(config: RemoteConfig): Remote {
  const { url, scheme, username, password } = parseAddress(config.url)
  const redactor = openRedactor()
  redactor.add(password)
  for (const name of PROXIES) redactor.addAddress(config.env?.[name])
  const user = config.username ?? (username || 'x-access-token')
  const ssh = scheme === 'ssh' ? openSsh(wanted(config.ssh), config.directory) : undefined

  const environment = async () => {
    const entries = settings(scheme, config.caFile)
    const token = typeof config.token === 'function' ? await config.token() : (config.token ?? password)
    if (token && scheme.startsWith('http')) {
      const basic = Buffer.from(`${user}:${token}`).toString('base64')
      redactor.add(token, basic)
      // Bound to the host, so that it cannot follow a submodule or an alternate to somewhere else.
      entries.push([`http.${new URL(url).origin}/.extraHeader`, `Authorization: Basic ${basic}`])
    }
    const command = await ssh?.command()
    return {
      ...base(config.env),
      ...(command ? { GIT_SSH_COMMAND: command, GIT_SSH_VARIANT: 'ssh' } : {}),
      ...toVariables(entries),
    }
  }
  return { url, environment, redact: redactor.redact, close: async () => ssh?.close() }
}

function wanted(ssh: SshConfig | undefined): SshConfig {
  if (ssh) return ssh
  throw new DroverError('broken', 'Cannot use ssh for the fleet repository: it needs a key and the known hosts')
}

function settings(scheme: string, caFile: string | undefined): [string, string][] {
  return [
    ['protocol.allow', 'never'],
    [`protocol.${scheme}.allow`, 'always'],
    ['protocol.version', '2'],
    ['core.hooksPath', '/dev/null'],
    ['core.askPass', ''],
    ['credential.helper', ''],
    ['http.sslVerify', 'true'],
    ...(caFile === undefined ? [] : toCaSettings(caFile)),
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

const toCaSettings = (file: string): [string, string][] => [
  ['http.sslCAInfo', file],
  ['http.proxySSLCAInfo', file],
]

function base(given: RemoteConfig['env']): Record<string, string> {
  const passed = PASSED_ON.flatMap((name) => (given?.[name] === undefined ? [] : [[name, given[name]]]))
  return {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    ...Object.fromEntries(passed),
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    // A clone keeps its branches as files, whatever git does by itself: see update-ref.ts.
    GIT_DEFAULT_REF_FORMAT: 'files',
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
