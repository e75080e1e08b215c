import { randomInt } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startProcesses } from '../../local/functions.ts'
import { buildBundle } from '../../scripts/build.ts'
import { environment } from '../../shared/config.ts'
import { functionNames, type LifecycleName } from '../../shared/lifecycles.ts'
import { randomOf } from '../prober/random.ts'
import { type Chain, endOf, small, startWith, storyOf } from './harness.ts'
import { example } from './life.ts'
import { terminalsOf } from './lost.ts'
import { machinesOf, place } from './machines.ts'

/** Functions whose clocks are up to an hour wrong, each another way: a run may fail of it, and must not harm anything. */

const seed = environment()['DROVER_SEED'] ?? String(randomInt(1 << 30))
const directory = mkdtempSync(join(tmpdir(), 'drover-clocks-'))
const bundle = join(directory, 'drover.cjs')
const clock = new URL('shifted-clock.ts', import.meta.url).href
afterAll(() => rmSync(directory, { recursive: true, force: true, maxRetries: 3 }))
beforeAll(() => buildBundle(bundle))

describe.each([
  { how: 'within five minutes of the truth', most: 5 * 60_000, ends: ['completed'] },
  // More than the time that a run has: who is ahead finds it over.
  { how: 'up to an hour wrong', most: 3_600_000, ends: ['completed', 'rolledback'] },
])(`where clocks are $how (DROVER_SEED=${seed})`, { timeout: 300_000 }, ({ most, ends }) => {
  let chain: Chain
  const began = Date.now()
  const { claimsOf } = machinesOf(() => chain)
  beforeAll(async () => {
    const random = randomOf(seed, most)
    const shifts = Object.fromEntries(functionNames.map((name) => [name, random.below(2 * most) - most]))
    chain = await startWith({
      start: (ports, environmentOf) =>
        startProcesses(bundle, ports, join(directory, `logs-${most}`), (name) => ({
          ...environmentOf(name),
          NODE_OPTIONS: `--import ${clock}?by=${shifts[name]}`,
        })),
    })
  }, 90_000)
  afterAll(() => chain.close())

  /** Asks for it, and answers how it ended: once. */
  const ended = async (lifecycle: LifecycleName, data: object) => {
    const run = await chain.request(data, { lifecycle })
    const { type, data: end } = await endOf(run, 120_000)
    await chain.idle()
    const terminals = [...terminalsOf(run)]
    expect(terminals, storyOf(run).join('\n')).toHaveLength(1)
    expect(ends, storyOf(run).join('\n')).toContain(terminals[0])
    return { run, type, facts: end.facts }
  }
  /** True for an event that says it was after this moment, or a minute before the chain began. */
  const isOff = ({ json }: { json: string }) => {
    const time = Date.parse((JSON.parse(json) as { time: string }).time)
    return time > Date.now() || time < began - 60_000
  }

  it('a life ends each run once, leaves nothing of one that failed, and keeps the data', async () => {
    let made: Awaited<ReturnType<typeof ended>> | undefined
    for (let attempt = 1; attempt <= 3 && !made?.type.endsWith('.completed'); attempt++)
      made = await ended(
        'provision',
        small({ placement: { cluster: 'site-a' }, disks: [{ name: 'data', size: '5Gi' }] }),
      )
    expect(made?.run.events().some(isOff)).toBe(true)
    const files = Object.keys(await chain.files()).filter((path) => path.startsWith('vms/'))
    // Where even that is out of time there is no machine, and there must be nothing of one.
    if (!made?.type.endsWith('.completed')) return expect(files).toEqual([])
    // Of what failed before it there is nothing.
    expect(new Set(files.map((path) => path.split('/')[3]))).toEqual(new Set([made.facts?.name]))
    const vm = { namespace: 'shop', name: made.facts?.name ?? '', cluster: 'site-a' }
    const data = async () => Object.entries(await claimsOf(vm)).filter(([claim]) => claim.includes('-data-'))
    const before = await data()
    expect(before).toHaveLength(1)
    for (const name of ['snapshot', 'patch', 'resize', 'repave', 'power'] as const) {
      await ended(name, { ...example(name).data, ...place(vm) })
      expect(await data(), name).toEqual(before)
    }
    const locks = Object.keys(await chain.files()).filter(
      (path) => path.startsWith('runs/') || path.endsWith('/operation.yaml'),
    )
    expect(locks).toEqual([])
  })
})
