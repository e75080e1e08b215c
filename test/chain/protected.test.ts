import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { runFile } from '../../shared/paths.ts'
import { decline, takeAll } from './declining.ts'
import { type Chain, factsOf, small, startChain } from './harness.ts'

let chain: Chain

beforeAll(async () => {
  chain = await startChain()
})
afterEach(() => takeAll(chain))
afterAll(() => chain.close())

const sentence =
  /the branch is protected: let Drover's account push to it without a review, or give Drover another branch .*You are not allowed to push/

describe('a run at a protected branch', () => {
  it('is refused with what to do, changes nothing and is rolled back', async () => {
    const before = await chain.git('rev-parse', 'main')
    decline(chain)
    const run = await chain.request(small())
    const ended = await run.ended
    expect(factsOf(run)).toEqual(['requested', 'validated', 'name.failed', 'rolledback', 'notified'])
    expect(ended.data.message).toMatch(sentence)
    expect(await chain.git('rev-parse', 'main')).toBe(before)
  })

  it('gives back what it had when only its machine is declined', async () => {
    const before = await chain.files()
    decline(chain, 'provision ')
    const run = await chain.request(small())
    const ended = await run.ended
    expect(factsOf(run)).toEqual(expect.arrayContaining(['create.commit.failed', 'rolledback', 'notified']))
    expect(ended.data.message).toMatch(sentence)
    expect(await chain.files()).toEqual(before)
  })

  it('is stranded with what to do when the branch was protected halfway, for nobody can undo it then', async () => {
    const stop = chain.feed.listen(({ type }) => {
      if (type.endsWith('.allocated')) decline(chain)
    })
    const run = await chain.request(small())
    const ended = await run.ended
    stop()
    expect(ended.type).toBe('dev.drover.provision.stranded')
    expect(ended.data.message).toMatch(sentence)
    expect((await chain.files())[runFile(run.id)]).toBeDefined()
  })
})
