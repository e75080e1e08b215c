import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sweep } from '../../shared/event-types.ts'
import type { LifecycleName } from '../../shared/lifecycles.ts'
import { dueFile, lockFile } from '../../shared/paths.ts'
import type { Definition } from '../../shared/schema/definition.ts'
import { parseYaml, toYaml } from '../../shared/yaml.ts'
import { type Chain, small, startChain } from './harness.ts'

/** What is kept for a time leaves at a tick, without another run of its machine. */

let chain: Chain
beforeAll(async () => {
  chain = await startChain({ DROVER_GRACE_SECONDS: '3' })
})
afterAll(() => chain.close())

const image = { registry: `docker://registry.example.com/golden/rhel9@sha256:${'b'.repeat(64)}` }
const past = '2020-01-01T10:00:00.000Z'

async function ended(data: object, lifecycle: LifecycleName) {
  const run = await chain.request(data, { lifecycle })
  const { type, data: said } = await run.ended
  expect([type, said.message]).toEqual([`dev.drover.${lifecycle}.completed`, expect.anything()])
  return said
}

/** Posts a tick, and waits until it is over. */
async function tick(): Promise<void> {
  const headers = { 'ce-specversion': '1.0', 'ce-id': randomUUID(), 'ce-source': '/timer', 'ce-type': sweep.type }
  expect(await chain.post({ ...headers, 'content-type': 'application/json' }, '{}')).toBe(202)
  await chain.idle()
}

/** Resolves when the cluster has no such object any more. */
async function gone(kind: string, name: string): Promise<void> {
  for (const until = Date.now() + 30_000; Date.now() < until; await new Promise((done) => setTimeout(done, 100)))
    if (!(await chain.look('site-a', kind, 'shop', name))) return
  expect.fail(`${kind} ${name} is still there`)
}

const read = async (path: string) => parseYaml(await chain.git('show', `main:${path}`), path) as Definition
const notes = async () => Object.keys(await chain.files()).filter((path) => path.startsWith('due/'))

describe('an old root disk and a snapshot', { timeout: 180_000 }, () => {
  it('leave Git and the cluster at a tick once their time is over, and the machine runs on', async () => {
    const disks = [{ name: 'data', size: '5Gi' }]
    const { facts } = await ended(small({ placement: { cluster: 'site-a' }, disks } as object), 'provision')
    const name = facts?.name ?? ''
    await ended({ namespace: 'shop', name, image, keepDays: 3 }, 'repave')
    await ended({ namespace: 'shop', name, snapshot: 'one', keepDays: 1 }, 'snapshot')
    const values = `vms/site-a/shop/${name}/values.yaml`
    const before = await read(values)
    const day = (one: { until?: string } | undefined) => one?.until?.slice(0, 10) ?? ''
    const [root] = before.oldRoots ?? []
    const asked = before.snapshots?.find(({ purpose }) => purpose === 'asked')
    expect(await notes()).toEqual(
      [day(asked), day(root)].map((when) => dueFile(when, 'site-a', 'shop', name)).toSorted(),
    )
    const head = () => chain.git('rev-parse', 'main')
    const untouched = await head()
    await tick()
    expect(await head()).toBe(untouched)

    // Years go by.
    const over = <T extends { until?: string }>(one: T): T => ({ ...one, ...(one.until && { until: past }) })
    const then = { ...before, oldRoots: before.oldRoots?.map(over), snapshots: before.snapshots?.map(over) }
    chain.interfere(values, toYaml(then))
    chain.interfere(dueFile('2020-01-01', 'site-a', 'shop', name), '{}\n')
    // A run that is over holds nothing.
    chain.interfere(lockFile('site-a', 'shop', name), 'run: "0123456789abcdef0123"\n')
    const instance = await chain.look('site-a', 'VirtualMachineInstance', 'shop', name)
    await Promise.all([tick(), tick(), tick()])
    const { oldRoots: _, snapshots: __, ...rest } = before
    expect(await read(values)).toEqual(rest)
    const log = await chain.git('log', '--format=%s', '--grep=Drover-Step: retention', 'main')
    expect(log.trim().split('\n')).toEqual(['Let go of what 1 machines kept until now'])
    // Argo CD looks by itself every few minutes; a run does not wait for that.
    await ended({ namespace: 'shop', name, action: 'start' }, 'power')
    await gone('DataVolume', root?.name ?? '')
    await gone('VirtualMachineSnapshot', asked?.name ?? '')
    const now = await chain.look('site-a', 'VirtualMachineInstance', 'shop', name)
    expect(now?.metadata.uid).toBe(instance?.metadata.uid)
    const [data = ''] = Object.keys((await read(`vms/site-a/shop/${name}/claims.yaml`)) as object)
    expect(await chain.look('site-a', 'PersistentVolumeClaim', 'shop', data)).toBeDefined()
  })
})
