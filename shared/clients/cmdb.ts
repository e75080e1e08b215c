import { readFileSync } from 'node:fs'
import { type Static, Type } from 'typebox'
import type { Cmdb } from '../cmdb.ts'
import { DroverError } from '../errors.ts'
import { check } from '../schema/check.ts'
import { HttpsUrl, Strict } from '../schema/parts.ts'
import { keepSecret } from '../secrets.ts'
import { outside } from '../telemetry/outside.ts'
import { parseYaml } from '../yaml.ts'

/**
 * The generic HTTP adapter: three calls, described in a file (`DROVER_CMDB_CONFIG`), against any system with a JSON API.
 * `${...}` in paths and bodies stands for a field of the record, `${state}`, `${id}` or `${key}`.
 */

const Method = Type.Union([
  Type.Literal('GET'),
  Type.Literal('POST'),
  Type.Literal('PUT'),
  Type.Literal('PATCH'),
  Type.Literal('DELETE'),
])
const Path = Type.String({ pattern: '^/', maxLength: 1024, description: 'a path that begins with "/"' })
const Pointer = Type.String({
  pattern: '^[A-Za-z0-9_.-]+$',
  maxLength: 128,
  description: 'where the id stands in the answer, such as "result.0.sys_id"',
})
/** What `fetch` takes as a header: the error that it throws else shows the value, which may be a key. */
const HeaderValue = Type.String({
  pattern: '^[\\x20-\\x7e]*$',
  maxLength: 8192,
  description: 'one line of printable characters',
})
const Call = Strict({ method: Method, path: Path, body: Type.Optional(Type.Unknown()), id: Type.Optional(Pointer) })

export const CmdbConfig = Strict({
  url: HttpsUrl,
  headers: Type.Optional(Type.Record(Type.String({ pattern: '^[A-Za-z0-9-]{1,64}$' }), HeaderValue)),
  /** The word for each state in that system; the state itself when absent. */
  states: Type.Optional(
    Strict({
      planned: Type.Optional(Type.String()),
      operational: Type.Optional(Type.String()),
      retired: Type.Optional(Type.String()),
    }),
  ),
  /**
   * Finds the record by `${key}`, `${name}` or `${run}`, which mean nothing special in any query language; 404 or no id
   * means that there is none.
   */
  lookup: Call,
  create: Call,
  update: Call,
})
export type CmdbConfig = Static<typeof CmdbConfig>

type Values = Record<string, string>

/** Two calls are less than a delivery. Short tries at a system that is slow would make a record twice: it goes on with each of them. */
const timeout = 40_000

/** Reads the adapter's file; throws a sentence that names what is wrong with it. */
export function readCmdbConfig(path: string): CmdbConfig {
  const checked = check(CmdbConfig, parseYaml(readFileSync(path, 'utf8'), path), path)
  if (!checked.ok) throw new DroverError('broken', `Cannot use ${path}: ${checked.problems.map(discreet).join('; ')}`)
  return checked.value as CmdbConfig
}

/** What is wrong with a header, without its value. */
const discreet = (problem: string) =>
  problem.replace(/^(headers\S*) is .*, wanted (?=[^,]*$)/s, '$1 is not what was wanted, ')

/** Opens the HTTP adapter. The token is read at each call and goes nowhere but into the Authorization header. */
export function openCmdb(config: CmdbConfig, token?: () => Promise<string>): Cmdb {
  const call = async (step: Static<typeof Call>, values: Values, key: string): Promise<string | undefined> => {
    const sending = () => send(config, step, values, key, token)
    const response = await outside({ to: 'cmdb', what: step.method }, sending, ({ ok, status }) => ({
      outcome: ok ? 'ok' : String(status),
    }))
    const answer: unknown = await response.json().catch(() => undefined)
    if (response.status === 404 && step === config.lookup) return undefined
    if (response.status === 400 || response.status === 422)
      throw new DroverError('refused', `Cannot register the machine: the CMDB refused it with ${response.status}`)
    if (!response.ok)
      throw new DroverError('broken', `Cannot ${step.method} the CMDB record: it answered ${response.status}`)
    // A system that keeps records under our own key has no other id.
    return step.id === undefined ? (values['id'] ?? values['key']) : at(answer, step.id)
  }
  return {
    async register(record, state) {
      const key = `${record.name}.${record.run}`
      const values: Values = { ...record, key, state: config.states?.[state] ?? state }
      const id = await call(config.lookup, { run: record.run, name: record.name, key }, key)
      if (id === undefined && state === 'retired') return { id: '' }
      if (id === undefined) return { id: (await call(config.create, values, `${key}.create`)) ?? key }
      if (state !== 'planned') await call(config.update, { ...values, id }, `${key}.${state}`)
      return { id }
    },
  }
}

/** The adapter of a configuration file; undefined where no enterprise system is configured. */
export const cmdbOf = ({
  config,
  token,
}: {
  config: string | undefined
  token?: () => Promise<string>
}): Cmdb | undefined => (config === undefined ? undefined : openCmdb(readCmdbConfig(config), token))

async function send(
  config: CmdbConfig,
  step: Static<typeof Call>,
  values: Values,
  key: string,
  token?: () => Promise<string>,
): Promise<Response> {
  const url = config.url.replace(/\/$/, '') + fill(step.path, values, toSegment)
  for (const [name, value] of Object.entries(config.headers ?? {})) if (isSecret.test(name)) keepSecret(value)
  const headers: Record<string, string> = { accept: 'application/json', 'idempotency-key': key, ...config.headers }
  if (token) headers['authorization'] = `Bearer ${printable(await token())}`
  if (step.body !== undefined) headers['content-type'] = 'application/json'
  const body = step.body === undefined ? {} : { body: JSON.stringify(fillAll(step.body, values)) }
  try {
    return await fetch(url, {
      method: step.method,
      headers,
      redirect: 'error',
      signal: AbortSignal.timeout(timeout),
      ...body,
    })
  } catch (cause) {
    throw new DroverError('broken', 'Cannot reach the CMDB', { cause })
  }
}

/** Names of headers that say who asks. */
const isSecret = /auth|cookie|key|password|secret|token/i

/** A token that fits a header: the error that `fetch` would throw shows the one that does not. */
function printable(token: string): string {
  if (/^[\x21-\x7e]+$/.test(token)) return token
  throw new DroverError('broken', 'Cannot ask the CMDB: its token is not one line of printable characters')
}

/** Fills the strings of a JSON body; the values stay strings, so they cannot change its structure. */
function fillAll(body: unknown, values: Values): unknown {
  if (typeof body === 'string') return fill(body, values, (value) => value)
  if (Array.isArray(body)) return body.map((one) => fillAll(one, values))
  if (typeof body !== 'object' || body === null) return body
  return Object.fromEntries(Object.entries(body).map(([name, value]) => [name, fillAll(value, values)]))
}

/** A value as part of a path, which it cannot lead elsewhere. */
function toSegment(value: string): string {
  if (/^\.{1,2}$/.test(value)) throw new DroverError('broken', `Cannot fill the CMDB template: a value is "${value}"`)
  return encodeURIComponent(value)
}

function fill(text: string, values: Values, encode: (value: string) => string): string {
  return text.replace(/\$\{([a-zA-Z]+)\}/g, (_, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined
    if (value === undefined)
      throw new DroverError('broken', `Cannot fill the CMDB template: there is no value "${name}"`)
    return encode(value)
  })
}

/** The value at a dotted path of an answer, as text. */
function at(answer: unknown, pointer: string): string | undefined {
  const found = pointer
    .split('.')
    .reduce<unknown>(
      (value, name) => (typeof value === 'object' && value !== null ? (value as Values)[name] : undefined),
      answer,
    )
  return typeof found === 'string' || typeof found === 'number' ? String(found) : undefined
}
