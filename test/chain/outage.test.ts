import { describe, expect, it, onTestFinished } from 'vitest'
import { startInline } from '../../local/functions.ts'
import { type Front, startFront } from '../shared/clients/git/front.ts'
import { endOf, factsOf, small, startWith, storyOf } from './harness.ts'
import { isResumption, subjectsOf, terminalsOf } from './lost.ts'

/** The Git host is away for longer than a request is tried; all else waits for it. */

describe('while Git is away for more than a minute', { timeout: 300_000 }, () => {
  it('a request is answered by a sentence, and what was in flight goes on when it is back', async () => {
    let git: Front | undefined
    const chain = await startWith({
      start: async (ports, environmentOf) => {
        git = await startFront(environmentOf('commit')['DROVER_GIT_URL'] ?? '')
        const { url } = git
        return startInline(ports, (name) => ({ ...environmentOf(name), DROVER_GIT_URL: url }))
      },
    })
    onTestFinished(() => chain.close())
    const front = git ?? expect.fail()
    const before = await Promise.all(Array.from({ length: 6 }, () => chain.request(small())))
    await expect.poll(() => before.every((run) => factsOf(run).includes('named')), { timeout: 60_000 }).toBe(true)
    front.outage = 503

    const meanwhile = await chain.request(small())
    await expect
      .poll(() => storyOf(meanwhile).at(-1), { timeout: 120_000 })
      .toBe(
        'dev.drover.provision.validate.failed: Cannot validate parameters: the Broker gave up after the answer 503: Cannot read the fleet repository: the Git server answered 503',
      )
    front.outage = undefined
    // Nothing had been done for it; what says so waited for Git as well.
    expect((await endOf(meanwhile, 120_000)).type).toBe('dev.drover.provision.rolledback')

    for (const run of before) {
      expect((await endOf(run, 120_000)).type).toBe('dev.drover.provision.completed')
      expect(terminalsOf(run)).toEqual(new Set(['completed']))
      expect((await subjectsOf(run, chain)).filter((subject) => !isResumption(subject))).toHaveLength(5)
    }
    expect((await endOf(await chain.request(small()), 60_000)).type).toBe('dev.drover.provision.completed')
  })
})
