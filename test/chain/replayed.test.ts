import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Chain, factsOf, small, startChain } from './harness.ts'

/** Whoever can read events can post one again, signature and all; a run that has ended must not stir. */

let chain: Chain
beforeAll(async () => {
  chain = await startChain({ DROVER_DEADLINE_MINUTES: '0.3' })
})
afterAll(() => chain.close())

describe('the events of a run that was undone', { timeout: 180_000 }, () => {
  it('make no machine and no commit when each of them comes again', async () => {
    chain.fault('crash-loop')
    const data = small()
    const run = await chain.request(data)
    expect((await run.ended).type).toMatch(/rolledback$/)
    await chain.idle()
    chain.mend()
    const head = await chain.git('rev-parse', 'main')
    for (const { json } of run.events()) await chain.post({ 'content-type': 'application/cloudevents+json' }, json)
    await chain.idle()
    expect(await chain.git('rev-parse', 'main')).toBe(head)
    for (const site of chain.sites)
      expect(await chain.look(site, 'VirtualMachine', 'shop', data.name ?? '')).toBeUndefined()
    const ends = factsOf(run).filter((fact) => /^(completed|rolledback|stranded)$/.test(fact))
    expect(new Set(ends)).toEqual(new Set(['rolledback']))
  })
})
