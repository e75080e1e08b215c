import { describe, expect, it } from 'vitest'
import { isReal, small, startChain } from './harness.ts'

/** Runs whose time is up before the clusters have followed. */

describe('a run that is late', { timeout: 180_000 }, () => {
  it('is stranded when the cluster does not follow in time', async () => {
    const slow = await startChain({ DROVER_UNDO_MINUTES: '0.03' })
    slow.fault('crash-loop')
    slow.fault('never-deleted')
    const run = await slow.request(small())
    const ended = await run.ended
    await slow.close()
    expect(ended.type).toBe('dev.drover.provision.stranded')
    // On a busy machine the time is up before Argo CD has looked.
    expect(ended.data.message).toMatch(/still has .*VirtualMachine|Argo CD has not looked at Git since/)
  })

  // The real Argo CD cannot be held up; there, test/cluster/states.test.ts has a run whose time is up.
  it.skipIf(isReal())(
    'gives up at its deadline when the cluster stays behind, and says what it waited for',
    async () => {
      const hasty = await startChain({ DROVER_DEADLINE_MINUTES: '0.25' })
      hasty.fault('sync-stuck')
      // Nothing before the wait for the machine waits for a cluster, however late it is by then.
      const run = await hasty.request(small({ placement: { cluster: 'site-a' } }))
      await hasty.feed.first(({ type }) => type.endsWith('create.verify.failed'))
      hasty.mend()
      const ended = await run.ended
      await hasty.close()
      expect(ended.type).toBe('dev.drover.provision.rolledback')
      expect(ended.data.failure?.message).toMatch(/Argo CD .*; the run's time was up at 20/)
    },
  )
})
