import { DroverError } from '../errors.ts'
import type { Environment } from '../mounted.ts'
import type { ImageInput } from './oci-image.ts'
import { parseRepository, parseTag, type Repository } from './reference.ts'

/** What the Job of a push says to the program in its container, as variables: who writes them and who reads them stand here. */

export interface PushInput extends ImageInput {
  repository: Repository
  tag: string
  /** The disk: a file, or a block device. */
  disk: string
  /** Folders that a Secret and a ConfigMap are mounted at. */
  credentials?: string
  authorities?: string
  /** The registry speaks http, and so may its token service. */
  insecure: boolean
}

export type PushRequest = Omit<PushInput, 'repository'> & { repository: string }

/** The variables of a push, those alone that have a value. */
export function toVariables(request: PushRequest): Record<string, string> {
  const { instancetype, preference, credentials, authorities, annotations } = request
  return {
    PUSH_REPOSITORY: request.repository,
    PUSH_TAG: request.tag,
    PUSH_DISK: request.disk,
    PUSH_ARCHITECTURE: request.architecture,
    PUSH_CREATED: request.created,
    PUSH_ANNOTATIONS: JSON.stringify(annotations, Object.keys(annotations).sort()),
    ...(instancetype && { PUSH_INSTANCETYPE: instancetype }),
    ...(preference && { PUSH_PREFERENCE: preference }),
    ...(credentials !== undefined && { PUSH_CREDENTIALS: credentials }),
    ...(authorities !== undefined && { PUSH_AUTHORITIES: authorities }),
    ...(request.insecure && { PUSH_INSECURE: 'true' }),
  }
}

/** Reads them back; throws a sentence that names each that is missing. */
export function readPushInput(env: Environment): PushInput {
  const required = ['REPOSITORY', 'TAG', 'DISK', 'ARCHITECTURE', 'CREATED'] as const
  const missing = required.filter((name) => !env[`PUSH_${name}`]).map((name) => `PUSH_${name} is not set`)
  if (missing.length > 0) throw new DroverError('refused', `Cannot push: ${missing.join('; ')}`)
  const { PUSH_INSTANCETYPE, PUSH_PREFERENCE, PUSH_CREDENTIALS, PUSH_AUTHORITIES } = env
  return {
    repository: parseRepository(env['PUSH_REPOSITORY'] ?? ''),
    tag: parseTag(env['PUSH_TAG'] ?? ''),
    disk: env['PUSH_DISK'] ?? '',
    architecture: env['PUSH_ARCHITECTURE'] ?? '',
    created: env['PUSH_CREATED'] ?? '',
    annotations: parseAnnotations(env['PUSH_ANNOTATIONS'] ?? '{}'),
    ...(PUSH_INSTANCETYPE && { instancetype: PUSH_INSTANCETYPE }),
    ...(PUSH_PREFERENCE && { preference: PUSH_PREFERENCE }),
    ...(PUSH_CREDENTIALS && { credentials: PUSH_CREDENTIALS }),
    ...(PUSH_AUTHORITIES && { authorities: PUSH_AUTHORITIES }),
    insecure: env['PUSH_INSECURE'] === 'true',
  }
}

function parseAnnotations(text: string): Record<string, string> {
  try {
    const entries = Object.entries(JSON.parse(text) as object)
    if (entries.every(([, value]) => typeof value === 'string')) return Object.fromEntries(entries)
  } catch {
    // Said below, as for any other text.
  }
  throw new DroverError('refused', 'Cannot push: PUSH_ANNOTATIONS is not what was wanted, an object of JSON with texts')
}
