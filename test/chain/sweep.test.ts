import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Seen } from '../../local/feed.ts'
import { sweep } from '../../shared/event-types.ts'
import { lifecycleOf } from '../../shared/lifecycles.ts'
import { runFile } from '../../shared/paths.ts'
import { type Chain, factsOf, isReal, type Run, small, startChain } from './harness.ts'
import { isResumption, recordOf, requestLosing, startHasty, subjectsOf, terminalsOf, tick, ticking } from './lost.ts'

/** What becomes of runs whose events a Broker has lost; `test/delivery/` loses each event of each lifecycle. */

const facts = lifecycleOf('provision').tasks.map(({ done }) => done)
/** From a run's first commit to its last: before there is nothing to find, after nothing to do. */
const inFlight = facts.slice(facts.indexOf('named'), facts.indexOf('completed'))

describe('a run whose events were lost', { timeout: 180_000 }, () => {
  let chain: Chain
  const runs = new Map<string, { run: Run; heard: string[]; ended: Seen }>()
  beforeAll(async () => {
    chain = await startHasty()
    const extensions = { correlationid: 'order-7' }
    const lost = await Promise.all(inFlight.map((fact) => requestLosing(chain, small(), fact, { extensions })))
    await chain.idle()
    const heard = lost.map(factsOf)
    const ended = await ticking(chain, Promise.all(lost.map((run) => run.ended)))
    await chain.idle()
    for (const [at, fact] of inFlight.entries())
      runs.set(fact, { run: lost[at] as Run, heard: heard[at] as string[], ended: ended[at] as Seen })
  }, 600_000)
  afterAll(() => chain.close())

  it.each(inFlight)('at "%s" goes on at a tick, and completes as if nothing had been', async (fact) => {
    const { run, heard, ended } = runs.get(fact) ?? expect.fail()
    expect(heard.at(-1)).toBe(fact)
    expect(ended.type).toBe('dev.drover.provision.completed')
    expect(terminalsOf(run)).toEqual(new Set(['completed']))
    const subjects = await subjectsOf(run, chain)
    expect(subjects.filter((subject) => !isResumption(subject))).toHaveLength(5)
    expect(subjects.filter(isResumption).length).toBeGreaterThan(0)
    expect(Object.keys(await chain.files())).not.toContain(runFile(run.id))
  })

  it.each(['named', 'allocated', 'create.committed'])('hears "%s" again as it was said', (fact) => {
    const { run } = runs.get(fact) ?? expect.fail()
    const [first, second] = run
      .events()
      .filter(({ type }) => type === `dev.drover.provision.${fact}`)
      .map(({ json }) => JSON.parse(json))
    const { id, type, subject, runid, partitionkey, correlationid, hops, cluster, data } = first
    expect(correlationid).toBe('order-7')
    expect(second).toMatchObject({ id, type, subject, runid, partitionkey, correlationid, hops })
    expect(second.cluster).toBe(cluster)
    expect({ ...second.data, message: '' }).toEqual({ ...data, message: '' })
  })

  it('in the middle of its undo is undone', async () => {
    chain.fault('crash-loop')
    chain.fault('never-deleted')
    const run = await requestLosing(chain, small(), 'create.verify.failed', { after: 1 })
    await chain.idle()
    expect(await recordOf(run, chain)).toMatchObject({ state: 'undoing', failure: { task: 'create.verify' } })
    chain.mend()
    const ended = await ticking(chain, run.ended)
    expect(ended.type).toBe('dev.drover.provision.rolledback')
    expect(ended.data.failure?.message).toContain('CrashLoopBackOff')
    expect(terminalsOf(run)).toEqual(new Set(['rolledback']))
  })
})

describe('a run whose events were lost until its time was up', { timeout: 300_000 }, () => {
  it('is undone', async () => {
    // The real timer ticks too, and must not find it before its time is up.
    const unhurried = { DROVER_DEADLINE_MINUTES: '0.7', DROVER_QUIET_MINUTES: '2' }
    const late = await startHasty(isReal() ? unhurried : { DROVER_DEADLINE_MINUTES: '0.2' })
    const before = await late.files()
    const run = await requestLosing(late, small(), 'create.committed')
    const { deadline = '' } = run.events().at(-1)?.data ?? {}
    await new Promise((done) => setTimeout(done, Date.parse(deadline) + 3_100 - Date.now()))
    const ended = await ticking(late, run.ended)
    expect(ended.type).toBe('dev.drover.provision.rolledback')
    expect(ended.data.failure).toMatchObject({
      task: 'create.verify',
      message: expect.stringMatching(/^Cannot go on after "Push to Git": nothing was heard .* time was up at/),
    })
    const left = Object.keys(await late.files()).filter((path) => !(path in before) && !/^(namesp|hub\/app)/.test(path))
    expect(left).toEqual([])
    await late.close()
  })

  it('in an undo that cannot end is left to a person, and from then on by every tick', async () => {
    // Its undo must be delivered more than once before its time is up.
    const slowly = { DROVER_UNDO_MINUTES: '0.3', DROVER_PATIENCE_SECONDS: '2', DROVER_GRACE_SECONDS: '1' }
    const stuck = await startHasty(isReal() ? slowly : { DROVER_UNDO_MINUTES: '0.05' })
    stuck.fault('crash-loop')
    stuck.fault('never-deleted')
    const run = await requestLosing(stuck, small(), 'create.verify.failed', { after: 1 })
    const ended = await ticking(stuck, run.ended)
    expect(ended.type).toBe('dev.drover.provision.stranded')
    expect(await recordOf(run, stuck)).toMatchObject({ state: 'stranded', message: ended.data.message })
    await stuck.idle()
    const head = await stuck.git('rev-parse', 'main')
    const count = run.events().length
    stuck.mend()
    await ticking(stuck, new Promise((done) => setTimeout(done, 7_000)), 3_000)
    await stuck.idle()
    expect([await stuck.git('rev-parse', 'main'), run.events().length]).toEqual([head, count])
    await stuck.close()
  })
})

describe('ticks', { timeout: 180_000 }, () => {
  it('change nothing while runs are well, however many there are', async () => {
    const chain = await startChain()
    const runs = await Promise.all([1, 2].map(() => chain.request(small())))
    await ticking(chain, Promise.all(runs.map((run) => run.ended)), 200)
    await chain.idle()
    for (const run of runs) {
      expect(factsOf(run)).toEqual(['requested', ...facts])
      expect(await subjectsOf(run, chain)).toHaveLength(5)
    }
    expect(chain.feed.seen.filter(({ type }) => type === sweep.type).length).toBeGreaterThan(3)
    await chain.close()
  })

  it('at once make a run go on once', async () => {
    const chain = await startHasty({ DROVER_QUIET_MINUTES: '0.2' })
    const run = await requestLosing(chain, small(), 'allocated')
    await new Promise((done) => setTimeout(done, 13_000))
    await Promise.all(Array.from({ length: 8 }, () => tick(chain)))
    await run.ended
    await chain.idle()
    expect(factsOf(run).filter((fact) => fact === 'completed')).toEqual(['completed'])
    expect((await subjectsOf(run, chain)).filter(isResumption)).toHaveLength(1)
    await chain.close()
  })
})
