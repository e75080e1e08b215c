import { describe, expect, it } from 'vitest'
import type { Clone } from '../../../../shared/clients/git/clone.ts'
import { observed } from '../../../../shared/clients/git/observed.ts'
import { growth } from '../../metrics.ts'

const main = 'refs/heads/main'
const old = '1'.repeat(40)
const moved = `remote: error: cannot lock ref '${main}': is at ${old} but expected ${'2'.repeat(40)}`

/** A push that git answers so. */
const push = (stdout: string, stderr = '', code = 1) => {
  const clone = { push: async () => ({ code, timedOut: false, stdout, stderr }) } as unknown as Clone
  return observed(clone, (text) => text).push(old, { commit: undefined })
}

describe('a push', () => {
  it.each<[string, string, string, string?, number?]>([
    ['was taken', 'ok', `ok ${main}\n\n`, '', 0],
    ['came second, as we see it', 'raced', `!\t${main}\t[remote rejected] (stale info)\n`],
    ['came second, as git sees it', 'raced', `!\tx:${main}\t[rejected] (stale info)\nDone`],
    ['came second, as a server without a lock says', 'raced', `!\tx:${main}\t[rejected] (fetch first)\nDone`],
    ['came second at the server', 'raced', `!\t${main}\t[remote rejected] (failed to update ref)\n`, moved],
    ['came second at a newer server', 'raced', `!\t${main}\t[remote rejected] (incorrect old value provided)\n`],
    ['failed at the server', 'busy', `!\t${main}\t[remote rejected] (failed to update ref)\n`],
    ['was declined', 'refused', `!\t${main}\t[remote rejected] (pre-receive hook declined)\n`],
    ['reached nobody', 'busy', '', 'fatal: unable to access: Could not resolve host'],
  ])('that %s is counted as "%s"', async (_, outcome, ...answer) => {
    expect(await growth('drover_calls_total', { to: 'git push', outcome }, () => push(...answer))).toBe(1)
  })
})
