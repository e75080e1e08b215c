import { randomBytes } from 'node:crypto'
import { accessSync, constants, readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fixedKeys, type Keyring, keysIn, parseKeys } from './keys.ts'
import { type FunctionName, functionNames } from './lifecycles.ts'

/**
 * The one place that reads the environment, once, at start. Everything else receives values. What is missing or wrong
 * stops the start with a sentence that names the variable.
 */
export interface Config {
  /** Which function this process serves; undefined: any, by event type. */
  function: FunctionName | undefined
  port: number
  logLevel: string
  /** Where progress is posted. */
  broker: string | undefined
  signingKeys: Keyring
  git: {
    url: string
    branch: string
    /** Read at each use, so that a rotated Secret is taken up. */
    token?: () => Promise<string>
    directory: string
    author: { name: string; email: string }
    env: Record<string, string>
  }
  argocd: { namespace: string; project: string; rootApplication: string; repoUrl: string }
  kubernetes: { kubeconfig: string | undefined; hubContext: string }
  cmdb: { config: string | undefined; token?: () => Promise<string> }
  /** How long an error that may pass must last until a run fails of it. */
  graceSeconds: number
  dnsResolvers: string[]
  callback: { allowPrivate: boolean }
  /** How long one delivery may wait before it answers 'not yet'; below the Triggers' timeout. */
  patienceSeconds: number
  /** How long a run may take unless it says otherwise, and an undo. */
  deadlineMinutes: number
  undoMinutes: number
  /** How long a run in flight may be silent until its events are taken for lost. */
  quietMinutes: number
}

export type Environment = Record<string, string | undefined>

class ConfigurationError extends Error {}

/** Reads the configuration, or throws an error that names every variable that is wrong. */
export function readConfig(env: Environment): Config {
  const problems: string[] = []
  const text = (name: string, fallback?: string) => {
    const value = env[name] ?? fallback
    if (value === undefined) problems.push(`${name} is not set`)
    if (value === '' && env[name] === '') problems.push(`${name} is empty`)
    return value ?? ''
  }
  const number = (name: string, fallback: number, least: number, most: number) => {
    const given = env[name]
    const value = given === undefined ? fallback : given.trim() === '' ? Number.NaN : Number(given)
    if (!Number.isFinite(value) || value < least || value > most)
      problems.push(`${name} is "${given}", wanted a number from ${least} to ${most}`)
    return value
  }
  // A URL may hold a password: it is not repeated.
  const url = (name: string, fallback?: string) => {
    const value = text(name, fallback)
    if (value !== '' && !URL.canParse(value)) problems.push(`${name} is not a URL`)
    return value
  }
  const oneOf = (name: string, fallback: string, words: readonly string[]) => {
    const value = text(name, fallback)
    if (value !== '' && !words.includes(value))
      problems.push(`${name} is "${value}", wanted one of ${words.join(', ')}`)
    return value
  }
  const optionalUrl = (name: string) => (env[name] ? url(name) : undefined)
  const resolvers = (env['DROVER_DNS_RESOLVERS'] ?? '').split(',').filter((one) => one !== '')
  const badResolver = resolvers.find((one) => !isResolver(one))
  if (badResolver !== undefined)
    problems.push(`DROVER_DNS_RESOLVERS holds "${badResolver}", wanted addresses such as 10.0.0.2 or 10.0.0.2:53`)
  for (const name of ['DROVER_GIT_TOKEN_FILE', 'DROVER_CMDB_TOKEN_FILE', 'DROVER_CMDB_CONFIG'])
    if (env[name] !== undefined && !isReadable(env[name])) problems.push(`${name} names a file that cannot be read`)
  const name = env['FUNCTION'] === '' ? undefined : env['FUNCTION']
  if (name !== undefined && !isFunctionName(name))
    problems.push(`FUNCTION is "${name}", wanted one of ${functionNames.join(', ')}`)

  const gitUrl = url('DROVER_GIT_URL')
  const config: Config = {
    function: name as FunctionName | undefined,
    port: number('PORT', 8080, 1, 65535),
    logLevel: oneOf('DROVER_LOG_LEVEL', 'info', logLevels),
    broker: optionalUrl('DROVER_BROKER_URL') ?? optionalUrl('K_SINK'),
    signingKeys: signingKeys(env, problems),
    git: {
      url: gitUrl,
      branch: text('DROVER_GIT_BRANCH', 'main'),
      ...secret(env, 'DROVER_GIT_TOKEN'),
      directory: text('DROVER_GIT_DIRECTORY', join(tmpdir(), `drover-fleet-${process.pid}`)),
      author: { name: text('DROVER_GIT_AUTHOR', 'Drover'), email: text('DROVER_GIT_EMAIL', 'drover@localhost') },
      env: { PATH: env['PATH'] ?? '/usr/bin:/bin', HOME: env['HOME'] ?? tmpdir() },
    },
    argocd: {
      namespace: text('DROVER_ARGOCD_NAMESPACE', 'argocd'),
      project: text('DROVER_ARGOCD_PROJECT', 'default'),
      rootApplication: text('DROVER_ARGOCD_ROOT_APPLICATION', 'drover-hub'),
      repoUrl: url('DROVER_ARGOCD_REPO_URL', gitUrl),
    },
    kubernetes: { kubeconfig: env['KUBECONFIG'] || undefined, hubContext: text('DROVER_HUB_CONTEXT', 'hub') },
    cmdb: { config: env['DROVER_CMDB_CONFIG'], ...secret(env, 'DROVER_CMDB_TOKEN') },
    graceSeconds: number('DROVER_GRACE_SECONDS', 30, 0, 600),
    dnsResolvers: resolvers,
    callback: { allowPrivate: env['DROVER_CALLBACK_ALLOW_PRIVATE'] === 'true' },
    patienceSeconds: number('DROVER_PATIENCE_SECONDS', 50, 0, 600),
    deadlineMinutes: number('DROVER_DEADLINE_MINUTES', 30, 0.01, 1440),
    undoMinutes: number('DROVER_UNDO_MINUTES', 15, 0.01, 1440),
    quietMinutes: number('DROVER_QUIET_MINUTES', 10, 0.01, 1440),
  }
  if (problems.length > 0) throw new ConfigurationError(`Cannot start: ${problems.join('; ')}`)
  return config
}

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']

/** An address with or without a port, in the forms that Node's resolver takes. */
const isResolver = (text: string) => isIP(text.replace(/^\[(.+)\](:\d{1,5})?$|^([^:]+):\d{1,5}$/, '$1$3')) !== 0

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK)
    return true
  } catch {
    return false
  }
}

function isFunctionName(name: string): name is FunctionName {
  return (functionNames as readonly string[]).includes(name)
}

/** A secret by value (`NAME`) or, better, by file (`NAME_FILE`), which is read anew at each use. */
function secret(env: Environment, name: string): { token?: () => Promise<string> } {
  const file = env[`${name}_FILE`]
  const value = env[name]
  if (file !== undefined) return { token: async () => readFileSync(file, 'utf8').trim() }
  return value === undefined ? {} : { token: async () => value }
}

/** `DROVER_SIGNING_KEYS_FILE` or `DROVER_SIGNING_KEYS`: `id:secret` words; the first signs. */
function signingKeys(env: Environment, problems: string[]): Keyring {
  const file = env['DROVER_SIGNING_KEYS_FILE']
  if (file !== undefined && !isReadable(file)) {
    problems.push('DROVER_SIGNING_KEYS_FILE names a file that cannot be read')
    return fixedKeys([])
  }
  const text = file === undefined ? (env['DROVER_SIGNING_KEYS'] ?? '') : readFileSync(file, 'utf8')
  const { keys, problems: wrong } = parseKeys(text)
  if (keys.length === 0)
    problems.push('DROVER_SIGNING_KEYS (or DROVER_SIGNING_KEYS_FILE) is not set, wanted "id:secret"')
  problems.push(...wrong.map((problem) => `DROVER_SIGNING_KEYS ${problem}`))
  return file === undefined ? fixedKeys(keys) : keysIn(file, keys)
}

/** A fresh signing key in the form that `DROVER_SIGNING_KEYS` takes. */
export const newSigningKey = (): string => `k1:${randomBytes(32).toString('base64url')}`

/** The environment of this process. */
export function environment(): Environment {
  // biome-ignore lint/style/noProcessEnv: this is the one file that reads it
  return process.env
}
