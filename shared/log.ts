import pino from 'pino'

export type Log = pino.Logger

/** JSON lines on standard output; values under names that could be a secret's are never written. */
export function createLog(level: string, name: string): Log {
  return pino({
    level,
    base: { function: name },
    redact: {
      paths: ['*.token', '*.password', '*.secret', 'token', 'password', 'secret', '*.authorization'],
      censor: '[redacted]',
    },
  })
}
