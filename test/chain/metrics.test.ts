import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { runFile } from '../../shared/paths.ts'
import { freePort } from '../free-port.ts'
import { decline, takeAll } from './declining.ts'
import { type Chain, isReal, type Run, small, startChain } from './harness.ts'
import { ticked } from './lost.ts'

/**
 * What the alarms of broker/monitoring are made of, seen on the page of metrics when what they warn of really happens. That
 * Prometheus makes alarms of such numbers is tried in test/monitoring.
 */

let chain: Chain
beforeAll(async () => {
  chain = await startChain({
    DROVER_QUIET_MINUTES: '0.05',
    DROVER_PATIENCE_SECONDS: '1',
    DROVER_UNDO_MINUTES: '0.05',
  })
})
afterAll(() => chain.close())

const page = async () => (await chain.metrics?.()) ?? expect.fail('there is no page of metrics')

/** The sum of all series of a name whose labels hold these words. */
async function total(name: string, ...words: string[]): Promise<number> {
  const lines = (await page()).split('\n').filter((line) => new RegExp(`^${name}[{ ]`).test(line))
  const ours = lines.filter((line) => words.every((word) => line.includes(word)))
  return ours.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

/** By how much it grows while something happens. */
async function growth(of: [string, ...string[]], act: () => Promise<unknown>): Promise<number> {
  const before = await total(...of)
  await act()
  await chain.idle()
  return (await total(...of)) - before
}

async function complete(): Promise<Run> {
  const run = await chain.request(small())
  expect((await run.ended).type).toBe('dev.drover.provision.completed')
  return run
}

describe.skipIf(isReal())('the page of metrics shows', { timeout: 240_000 }, () => {
  it('that a run has completed, each of its steps, the pushes it took and the calls to the outside', async () => {
    const steps = await total('drover_step_seconds_count', 'task="create.commit"', 'outcome="succeeded"')
    const pushes = await total('drover_commits_per_push_count')
    expect(await growth(['drover_run_ends_total', 'provision', 'end="completed"'], complete)).toBe(1)
    expect(await total('drover_step_seconds_count', 'task="create.commit"', 'outcome="succeeded"')).toBe(steps + 1)
    expect(await total('drover_commits_per_push_count')).toBeGreaterThanOrEqual(pushes + 5)
    for (const to of ['git fetch', 'git push', 'kubernetes', 'broker'])
      expect(await total('drover_calls_total', `to="${to}"`, 'outcome="ok"'), to).toBeGreaterThan(0)
    expect(await total('drover_queue_length')).toBe(0)
  })

  it('that somebody looked at the runs, that none is open, and how many addresses are free', async () => {
    await ticked(chain)
    expect(Date.now() / 1_000 - (await total('drover_sweep_timestamp_seconds'))).toBeLessThan(60)
    expect(await total('drover_runs')).toBe(0)
    expect(await total('drover_overdue_seconds')).toBe(0)
    const before = await total('drover_free_addresses', 'network="servers"', 'family="4"')
    await complete()
    await ticked(chain)
    expect(await total('drover_free_addresses', 'network="servers"', 'family="4"')).toBe(before - 1)
  })

  it('that an event was forged, and that one is no event of ours', async () => {
    const post = async (type: string, id: string) => {
      const headers = { 'ce-specversion': '1.0', 'ce-id': id, 'ce-source': '/stranger', 'ce-type': type }
      await chain.post({ ...headers, 'content-type': 'application/json' }, '{}')
    }
    const forged = () => post('dev.drover.provision.validated', 'forged')
    expect(await growth(['drover_deliveries_total', 'status="403"'], forged)).toBeGreaterThan(0)
    const strange = () => post('dev.drover.provision.frobnicated.failed', 'strange')
    expect(await growth(['drover_deliveries_total', 'status="400"'], strange)).toBeGreaterThan(0)
  })

  it('that the Broker gave up on a step, and that its run was rolled back', async () => {
    chain.tamper.with = (name) => (name === 'place' ? 400 : undefined)
    const rolledback = await total('drover_run_ends_total', 'end="rolledback"')
    const act = async () => {
      const run = await chain.request(small())
      await run.ended
    }
    expect(await growth(['drover_dead_letters_total', 'task="place"'], act)).toBe(1)
    chain.tamper.with = () => undefined
    expect(await total('drover_run_ends_total', 'end="rolledback"')).toBe(rolledback + 1)
  })

  it('that a delivery was given back, and what failed', async () => {
    chain.tamper.with = () => undefined
    chain.fault('sync-stuck')
    const before = await total('drover_retries_total', 'of="delivery"')
    const run = await chain.request(small())
    await vi.waitFor(async () => expect(await total('drover_retries_total', 'of="delivery"')).toBeGreaterThan(before), {
      timeout: 120_000,
      interval: 200,
    })
    chain.mend()
    await run.ended
    expect(await total('drover_step_seconds_count', 'outcome="notYet"')).toBeGreaterThan(0)
  })

  it('that the Git server refuses every push', async () => {
    const act = async () => {
      decline(chain)
      const run = await chain.request(small())
      await run.ended
      takeAll(chain)
    }
    expect(await growth(['drover_calls_total', 'to="git push"', 'outcome="refused"'], act)).toBeGreaterThan(0)
  })

  it('that a requester could not be told', async () => {
    const act = async () => {
      // Where the Broker listens nobody takes a callback.
      const run = await chain.request(small({ callback: { url: `${new URL(chain.broker).origin}/nobody` } }))
      await run.ended
    }
    expect(await growth(['drover_step_seconds_count', 'task="notify"', 'outcome="refused"'], act)).toBe(1)
  })

  it('that a requester could not be reached, until the Broker gave up', async () => {
    let tries = 0
    // The first try is a real one. The others would take the Broker minutes: the second is its last.
    chain.tamper.with = (name) => (name === 'notify' && tries++ > 0 ? 400 : undefined)
    const failed = await total('drover_step_seconds_count', 'task="notify"', 'outcome="failed"')
    const act = async () => {
      const run = await chain.request(small({ callback: { url: `http://127.0.0.1:${await freePort()}/nobody` } }))
      await run.ended
    }
    expect(await growth(['drover_step_seconds_count', 'task="notify"', 'outcome="buried"'], act)).toBe(1)
    chain.tamper.with = () => undefined
    expect(await total('drover_step_seconds_count', 'task="notify"', 'outcome="failed"')).toBe(failed + 1)
    expect(await total('drover_dead_letters_total', 'task="notify"')).toBe(1)
  })

  it('that a run is past its deadline, then that it was made to go on, then that it waits for a person', async () => {
    chain.fault('crash-loop')
    chain.fault('never-deleted')
    let lost = false
    chain.tamper.with = (_, { type }) => {
      if (!type.endsWith('create.verify.failed')) return undefined
      lost = true
      return 204
    }
    const run = await chain.request(small())
    await vi.waitFor(() => expect(lost).toBe(true), { timeout: 120_000, interval: 100 })
    // As if nobody had been there for an hour.
    const record = await chain.git('show', `main:${runFile(run.id)}`)
    const since = new Date(Date.now() - 3_600_000).toISOString()
    const old = record.replace(/^(since|at|deadline): .*$/gm, (_, name) => `${name}: "${since}"`)
    chain.interfere(runFile(run.id), old)
    const resumed = await total('drover_resumed_runs_total', 'provision')
    await ticked(chain)
    expect(await total('drover_runs', 'state="running"')).toBe(1)
    expect(await total('drover_oldest_run_seconds')).toBeGreaterThanOrEqual(3_599)
    expect(await total('drover_overdue_seconds')).toBeGreaterThanOrEqual(3_599)
    expect(await total('drover_resumed_runs_total', 'provision')).toBe(resumed + 1)
    chain.tamper.with = () => undefined
    await vi.waitFor(
      async () => {
        await ticked(chain)
        expect(await total('drover_runs', 'state="stranded"')).toBe(1)
      },
      { timeout: 120_000, interval: 1_000 },
    )
    expect(await total('drover_overdue_seconds')).toBe(0)
    chain.mend()
  })

  it('that a record cannot be read', async () => {
    chain.interfere(runFile('broken'), 'run: [')
    await ticked(chain)
    expect(await total('drover_unreadable_records')).toBe(1)
  })
})
