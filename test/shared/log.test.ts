import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'

/** A log writes to standard output, so it is looked at from outside. */
const logged = (code: string) =>
  execFileSync(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { createLog } from './shared/log.ts'; const log = createLog('info', 'place'); ${code}`,
    ],
    { cwd: new URL('../../', import.meta.url), encoding: 'utf8' },
  )

describe('a log line', () => {
  it('is JSON, names its function, and holds no value under the name of a secret', () => {
    const lines = logged(
      "log.debug('unseen'); log.info({ token: 'hunter2', git: { password: 'hunter2', authorization: 'hunter2', url: 'https://x' } }, 'seen')",
    )
    expect(lines).not.toContain('hunter2')
    expect(JSON.parse(lines)).toMatchObject({
      function: 'place',
      msg: 'seen',
      token: '[redacted]',
      git: { password: '[redacted]', authorization: '[redacted]', url: 'https://x' },
    })
  })
})
