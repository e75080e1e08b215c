import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { definitionFile, dueFile, lockFile } from '../../shared/paths.ts'
import { toYaml } from '../../shared/yaml.ts'
import { type Chain, startChain } from './harness.ts'
import { ticked } from './lost.ts'
import { machinesOf, place } from './machines.ts'

/** What is kept for a time leaves at a tick, without another run of its machine. */

let chain: Chain
beforeAll(async () => {
  chain = await startChain({ DROVER_GRACE_SECONDS: '3' })
})
afterAll(() => chain.close())

const { completed, provisioned, definitionOf, recorded } = machinesOf(() => chain)
const image = { registry: `docker://registry.example.com/golden/rhel9@sha256:${'b'.repeat(64)}` }
const past = '2020-01-01T10:00:00.000Z'

/** Resolves when the cluster has no such object any more. */
async function gone(kind: string, name: string): Promise<void> {
  for (const until = Date.now() + 30_000; Date.now() < until; await new Promise((done) => setTimeout(done, 100)))
    if (!(await chain.look('site-a', kind, 'shop', name))) return
  expect.fail(`${kind} ${name} is still there`)
}

const notes = async () => Object.keys(await chain.files()).filter((path) => path.startsWith('due/'))

describe('an old root disk and a snapshot', { timeout: 180_000 }, () => {
  it('leave Git and the cluster at a tick once their time is over, and the machine runs on', async () => {
    const vm = await provisioned({ disks: [{ name: 'data', size: '5Gi' }] })
    const { name } = vm
    await completed('repave', { ...place(vm), image, keepDays: 3 })
    await completed('snapshot', { ...place(vm), snapshot: 'one', keepDays: 1 })
    const before = await definitionOf(vm)
    const day = (one: { until?: string } | undefined) => one?.until?.slice(0, 10) ?? ''
    const [root] = before.oldRoots ?? []
    const asked = before.snapshots?.find(({ purpose }) => purpose === 'asked')
    expect(await notes()).toEqual(
      [day(asked), day(root)].map((when) => dueFile(when, 'site-a', 'shop', name)).toSorted(),
    )
    const head = () => chain.git('rev-parse', 'main')
    const untouched = await head()
    await ticked(chain)
    expect(await head()).toBe(untouched)

    // Years go by.
    const over = <T extends { until?: string }>(one: T): T => ({ ...one, ...(one.until && { until: past }) })
    const then = { ...before, oldRoots: before.oldRoots?.map(over), snapshots: before.snapshots?.map(over) }
    chain.interfere(definitionFile('site-a', 'shop', name), toYaml(then))
    chain.interfere(dueFile('2020-01-01', 'site-a', 'shop', name), '{}\n')
    // A run that is over holds nothing.
    chain.interfere(lockFile('site-a', 'shop', name), 'run: "0123456789abcdef0123"\n')
    const instance = await chain.look('site-a', 'VirtualMachineInstance', 'shop', name)
    await Promise.all([ticked(chain), ticked(chain), ticked(chain)])
    const { oldRoots: _, snapshots: __, ...rest } = before
    expect(await definitionOf(vm)).toEqual(rest)
    const log = await chain.git('log', '--format=%s', '--grep=Drover-Step: retention', 'main')
    expect(log.trim().split('\n')).toEqual(['Let go of what 1 machines kept until now'])
    // Argo CD looks by itself every few minutes; a run does not wait for that.
    await completed('power', { ...place(vm), action: 'start' })
    await gone('DataVolume', root?.name ?? '')
    await gone('VirtualMachineSnapshot', asked?.name ?? '')
    const now = await chain.look('site-a', 'VirtualMachineInstance', 'shop', name)
    expect(now?.metadata.uid).toBe(instance?.metadata.uid)
    const [data = ''] = Object.keys(await recorded(vm))
    expect(await chain.look('site-a', 'PersistentVolumeClaim', 'shop', data)).toBeDefined()
  })
})
