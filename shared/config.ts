import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { type GitSettings, gitAddress, gitSettings, usesGit } from './git-settings.ts'
import type { Guestfs } from './images/customize-job.ts'
import type { Reach } from './inside.ts'
import { fixedKeys, type Keyring, keysIn, parseKeys } from './keys.ts'
import { type FunctionName, functionNames } from './lifecycles.ts'
import { type Environment, isReadable, secret, secretIn } from './mounted.ts'
import { unknownSettings } from './settings.ts'

/**
 * The one place that reads the environment, once, at start. Everything else receives values. What is missing or wrong
 * stops the start with a sentence that names the variable.
 */
export interface Config {
  /** Which function this process serves; undefined: any, by event type. */
  function: FunctionName | undefined
  port: number
  /** Where `/metrics` is served by itself. */
  metricsPort: number | undefined
  /** Whether traces and metrics are sent by OTLP; to where, OpenTelemetry's own libraries read by themselves. */
  exports: boolean
  logLevel: string
  /** Where progress is posted. */
  broker: string | undefined
  /** Says who posts, where the Broker asks (OIDC); read at each use. */
  brokerToken?: () => Promise<string>
  signingKeys: Keyring
  git: GitSettings
  argocd: { namespace: string; project: string; rootApplication: string; repoUrl: string }
  /** Where virt-customize is run. */
  guestfs: Guestfs
  /** The container image that disks are pushed from: Drover's own. Undefined where none is to be pushed. */
  pushImage: string | undefined
  kubernetes: { kubeconfig: string | undefined; hubContext: string; ownCluster: string | undefined }
  cmdb: { config: string | undefined; token?: () => Promise<string> }
  /** How long an error that may pass must last until a run fails of it. */
  graceSeconds: number
  /** Whether the hub's RBAC is asked about each requester. */
  accessReview: boolean
  dnsResolvers: string[]
  callback: { reach: Reach }
  /** How long one delivery may wait before it answers 'not yet'; below the Triggers' timeout. */
  patienceSeconds: number
  /** How long a run may take unless it says otherwise, and an undo. */
  deadlineMinutes: number
  undoMinutes: number
  /** How long a run in flight may be silent until its events are taken for lost. */
  quietMinutes: number
}

export type { Environment } from './mounted.ts'

class ConfigurationError extends Error {}

/** Reads the configuration, or throws an error that names every variable that is wrong. */
export function readConfig(env: Environment): Config {
  const { config, problems } = parseConfig(env)
  if (problems.length > 0) throw new ConfigurationError(`Cannot start: ${problems.join('; ')}`)
  return config
}

/** The configuration as far as it can be read, and a sentence for each thing that is wrong, which begins with its variable. */
export function parseConfig(env: Environment): { config: Config; problems: string[] } {
  const problems: string[] = unknownSettings(Object.keys(env))
  const text = (name: string, fallback?: string) => {
    const value = env[name] ?? fallback
    if (value === undefined && !(name.startsWith('DROVER_GIT_') && !usesGit(env))) problems.push(`${name} is not set`)
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
  const isTrue = (name: string, fallback = 'false') => oneOf(name, fallback, ['true', 'false']) === 'true'
  const optionalUrl = (name: string) => (env[name] ? url(name) : undefined)
  const resolvers = (env['DROVER_DNS_RESOLVERS'] ?? '').split(',').filter((one) => one !== '')
  const badResolver = resolvers.find((one) => !isResolver(one))
  if (badResolver !== undefined)
    problems.push(`DROVER_DNS_RESOLVERS holds "${badResolver}", wanted addresses such as 10.0.0.2 or 10.0.0.2:53`)
  for (const name of ['DROVER_CMDB_TOKEN_FILE', 'DROVER_CMDB_CONFIG', 'DROVER_BROKER_TOKEN_FILE'])
    if (env[name] !== undefined && !isReadable(env[name])) problems.push(`${name} names a file that cannot be read`)
  const brokerTokenFile = env['DROVER_BROKER_TOKEN_FILE']
  const name = env['FUNCTION'] === '' ? undefined : env['FUNCTION']
  if (name !== undefined && !isFunctionName(name))
    problems.push(`FUNCTION is "${name}", wanted one of ${functionNames.join(', ')}`)

  const git = gitSettings(env, { text, number }, problems)
  const patienceSeconds = number('DROVER_PATIENCE_SECONDS', 50, 0, 600)
  const config: Config = {
    function: name as FunctionName | undefined,
    port: number('PORT', 8080, 1, 65535),
    metricsPort: env['DROVER_METRICS_PORT'] === undefined ? undefined : number('DROVER_METRICS_PORT', 0, 1, 65535),
    exports: optionalUrl('OTEL_EXPORTER_OTLP_ENDPOINT') !== undefined,
    logLevel: oneOf('DROVER_LOG_LEVEL', 'info', logLevels),
    broker: optionalUrl('DROVER_BROKER_URL') ?? optionalUrl('K_SINK'),
    ...(brokerTokenFile !== undefined && { brokerToken: secretIn(brokerTokenFile, 'DROVER_BROKER_TOKEN_FILE') }),
    signingKeys: signingKeys(env, problems),
    git,
    argocd: {
      namespace: text('DROVER_ARGOCD_NAMESPACE', 'argocd'),
      project: text('DROVER_ARGOCD_PROJECT', 'default'),
      rootApplication: text('DROVER_ARGOCD_ROOT_APPLICATION', 'drover-hub'),
      repoUrl: gitAddress(env, text('DROVER_ARGOCD_REPO_URL', git.url), 'DROVER_ARGOCD_REPO_URL', problems),
    },
    guestfs: { image: text('DROVER_GUESTFS_IMAGE', defaultGuestfsImage), kvm: isTrue('DROVER_GUESTFS_KVM', 'true') },
    pushImage: env['DROVER_PUSH_IMAGE'] || undefined,
    kubernetes: {
      kubeconfig: env['KUBECONFIG'] || undefined,
      hubContext: text('DROVER_HUB_CONTEXT', 'hub'),
      ownCluster: ownCluster(env),
    },
    cmdb: { config: env['DROVER_CMDB_CONFIG'], ...secret(env, 'DROVER_CMDB_TOKEN') },
    graceSeconds: number('DROVER_GRACE_SECONDS', Math.min(30, patienceSeconds * 0.6), 0, 590),
    accessReview: isTrue('DROVER_ACCESS_REVIEW'),
    dnsResolvers: resolvers,
    callback: { reach: reaches[oneOf('DROVER_CALLBACK_ALLOW_PRIVATE', 'false', Object.keys(reaches))] ?? 'public' },
    patienceSeconds,
    deadlineMinutes: number('DROVER_DEADLINE_MINUTES', 30, 0.01, 1440),
    undoMinutes: number('DROVER_UNDO_MINUTES', 15, 0.01, 1440),
    quietMinutes: number('DROVER_QUIET_MINUTES', 10, 0.01, 1440),
  }
  if (config.graceSeconds > 0 && config.graceSeconds >= config.patienceSeconds)
    problems.push(
      `DROVER_GRACE_SECONDS is ${config.graceSeconds}, wanted less than DROVER_PATIENCE_SECONDS (${config.patienceSeconds}): within one delivery an error must be seen to last`,
    )
  return { config, problems }
}

export const defaultGuestfsImage = 'quay.io/kubevirt/libguestfs-tools:v1.8.0'

/** How far callbacks go, by the words of the setting. */
const reaches: Record<string, Reach> = { false: 'public', true: 'private', loopback: 'loopback' }

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']

/** An address with or without a port, in the forms that Node's resolver takes. */
const isResolver = (text: string) => isIP(text.replace(/^\[(.+)\](:\d{1,5})?$|^([^:]+):\d{1,5}$/, '$1$3')) !== 0

function isFunctionName(name: string): name is FunctionName {
  return (functionNames as readonly string[]).includes(name)
}

/** The API server of the cluster that this process is a Pod of, as Kubernetes tells every Pod. */
function ownCluster({ KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' }: Environment) {
  if (!host) return undefined
  return `https://${isIP(host) === 6 ? `[${host}]` : host}:${port}`
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
