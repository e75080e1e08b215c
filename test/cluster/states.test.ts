import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type FunctionName, functionNames } from '../../shared/lifecycles.ts'
import { type Chain, factsOf, type Run, small, startChain } from '../chain/harness.ts'
import { untampered } from '../chain/platform.ts'
import type { Real } from './platform.ts'

/** What is seen on the way of a machine, what its faults come to, and what becomes of a run whose function is killed. */

let chain: Chain & Real
beforeAll(async () => {
  chain = (await startChain({ DROVER_DEADLINE_MINUTES: '1', DROVER_GRACE_SECONDS: '15' })) as Chain & Real
})
afterEach(() => {
  chain.mend()
  chain.tamper.with = untampered
})
afterAll(() => chain.close())

const progressOf = (run: Run) =>
  run.events().flatMap(({ type, data }) => (type.endsWith('create.verify.progressing') ? [data.message ?? ''] : []))

describe('a machine that comes up', () => {
  it('is seen importing, provisioning and starting, and no passing error fails its run', async () => {
    const run = await chain.request(small())
    expect((await run.ended).type).toBe('dev.drover.provision.completed')
    const progress = progressOf(run).join('\n')
    expect(progress).toMatch(/Argo CD/)
    // How much of it is seen is a matter of how fast it goes by.
    expect(progress).toMatch(
      /the VirtualMachine (is|says) (Stopped|Provisioning|DataVolumeError|WaitingForVolumeBinding|ErrorPvcNotFound)/,
    )
    expect(progress).toMatch(/disks: \S+ (Pending|\w+Scheduled|\w+InProgress)/)
    expect(progress).toMatch(/the VirtualMachine is Starting/)
  })
})

describe('a fault', () => {
  it("that leaves no node for the machine ends its run with the scheduler's words", async () => {
    chain.fault('unschedulable')
    const run = await chain.request(small())
    const { type, data } = await run.ended
    expect(type).toBe('dev.drover.provision.rolledback')
    expect(data.failure?.message).toMatch(/ErrorUnschedulable: .*Insufficient memory/)
  })

  it('that crashes the guest ends its run', async () => {
    chain.fault('crash-loop')
    const run = await chain.request(small())
    const { type, data } = await run.ended
    expect(type).toBe('dev.drover.provision.rolledback')
    expect(data.failure?.message).toMatch(/CrashLoopBackOff/)
  })

  it('that keeps the agent silent ends its run at the deadline, and says what was waited for', async () => {
    chain.fault('no-agent')
    const run = await chain.request(small())
    const { type, data } = await run.ended
    expect(type).toBe('dev.drover.provision.rolledback')
    expect(data.failure?.message).toMatch(/guest agent has not connected.*time was up/)
  })
})

/** A machine that runs: no provision asks where one is. */
async function machine(): Promise<{ namespace: string; name: string }> {
  const { data } = await (await chain.request(small())).ended
  return { namespace: 'shop', name: data.facts?.name ?? '' }
}

/** Kills a function in the middle of its first delivery, and tells whether a process has ended of it. */
function killOnce() {
  let isBegun = false
  let isDone = false
  const begin = (victim: FunctionName): undefined => {
    if (isBegun) return
    isBegun = true
    // While it works: the delivery is on its way to it.
    setTimeout(() => {
      isDone = chain.kill(victim)
    }, 5)
  }
  return { begin, isDone: () => isDone }
}

describe('a function that is killed in the middle of a run', () => {
  it.each(functionNames.filter((name) => name !== 'recover'))('%s: the run completes all the same', async (victim) => {
    const ready = victim === 'locate' ? await machine() : undefined
    const killing = killOnce()
    chain.tamper.with = (name) => (name === victim ? killing.begin(victim) : undefined)
    const run = ready
      ? await chain.request({ ...ready, action: 'restart' }, { lifecycle: 'power' })
      : await chain.request(small())
    expect((await run.ended).type).toMatch(/\.completed$/)
    expect(killing.isDone()).toBe(true)
    expect(new Set(factsOf(run).filter((fact) => /^(completed|rolledback|stranded)$/.test(fact)))).toEqual(
      new Set(['completed']),
    )
  })

  it('recover: the undo ends all the same', async () => {
    const killing = killOnce()
    chain.tamper.with = (name, { type }) => {
      if (name === 'verify' && type.endsWith('create.committed')) return 400
      return name === 'recover' ? killing.begin(name) : undefined
    }
    const run = await chain.request(small())
    expect((await run.ended).type).toBe('dev.drover.provision.rolledback')
    expect(killing.isDone()).toBe(true)
  })
})
