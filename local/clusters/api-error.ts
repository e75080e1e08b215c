import type { Kind } from './kinds.ts'

/** One wrong field of an object, in the words of the API server. */
export interface Cause {
  reason: string
  message: string
  field: string
}

interface Details {
  name?: string
  group?: string
  kind?: string
  causes?: Cause[]
}

/** A refusal by the API, which a client sees as a `Status` object. */
export class ApiError extends Error {
  readonly status: number
  readonly reason: string
  readonly details: Details

  constructor(status: number, reason: string, message: string, details: Details = {}) {
    super(message)
    this.name = 'ApiError'
    this.status = status
    this.reason = reason
    this.details = details
  }
}

const resource = ({ plural, group }: Kind) => (group ? `${plural}.${group}` : plural)
const about = ({ plural, group }: Kind, name: string): Details => ({ name, kind: plural, ...(group && { group }) })

/** 404: there is no such object. */
export function notFound(kind: Kind, name: string): ApiError {
  return new ApiError(404, 'NotFound', `${resource(kind)} "${name}" not found`, about(kind, name))
}

/** 409: the name is taken. */
export function alreadyExists(kind: Kind, name: string): ApiError {
  return new ApiError(409, 'AlreadyExists', `${resource(kind)} "${name}" already exists`, about(kind, name))
}

/** 409: somebody changed the object since it was read. */
export function conflict(kind: Kind, name: string, why?: string): ApiError {
  const reason = why ?? 'the object has been modified; please apply your changes to the latest version and try again'
  const message = `Operation cannot be fulfilled on ${resource(kind)} "${name}": ${reason}`
  return new ApiError(409, 'Conflict', message, about(kind, name))
}

/** 422: the object breaks a rule of its kind. */
export function invalid({ kind, group }: Kind, name: string, causes: Cause[]): ApiError {
  const subject = group ? `${kind}.${group}` : kind
  const said = causes.map(({ field, message }) => `${field}: ${message}`)
  const list = said.length === 1 ? said[0] : `[${said.join(', ')}]`
  const details = { name, kind, causes, ...(group && { group }) }
  return new ApiError(422, 'Invalid', `${subject} "${name}" is invalid: ${list}`, details)
}

/** 422: an admission webhook refused the object. */
export function denied(webhook: string, causes: Cause[]): ApiError {
  const message = causes.map((cause) => cause.message).join(', ')
  return new ApiError(422, 'Invalid', `admission webhook "${webhook}" denied the request: ${message}`, { causes })
}

/** 400: an admission webhook refused the object, and names no field. */
export function deniedPlainly(webhook: string, why: string): ApiError {
  return new ApiError(400, '', `admission webhook "${webhook}" denied the request: ${why}`)
}

/** 400: the request itself makes no sense. */
export function badRequest(message: string): ApiError {
  return new ApiError(400, 'BadRequest', message)
}

/** 403: not now, or not by this way. */
export function forbidden(kind: Kind, name: string, why: string): ApiError {
  return new ApiError(403, 'Forbidden', `${resource(kind)} "${name}" is forbidden: ${why}`, about(kind, name))
}

/** 410: what happened since then is forgotten; the client has to list again. */
export function expired(wanted: number, oldest: number): ApiError {
  return new ApiError(410, 'Expired', `too old resource version: ${wanted} (${oldest})`)
}

/** The `Status` object that says an error. */
export function statusOf({ status, reason, message, details }: ApiError) {
  const metadata = {}
  return { kind: 'Status', apiVersion: 'v1', metadata, status: 'Failure', message, reason, details, code: status }
}
