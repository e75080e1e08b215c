import pino from 'pino'
import { withoutSecrets } from './secrets.ts'

export type Log = pino.Logger

/** JSON lines on standard output; neither values under names that could be a secret's nor known secrets are ever written. */
export function createLog(level: string, name: string): Log {
  return pino({
    level,
    base: { function: name },
    hooks: { streamWrite: withoutSecrets },
    redact: {
      paths: ['*.token', '*.password', '*.secret', 'token', 'password', 'secret', '*.authorization'],
      censor: '[redacted]',
    },
  })
}
