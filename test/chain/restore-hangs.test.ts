import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Chain, factsOf, isReal, startChain } from './harness.ts'
import { dataOnly, machinesOf, place } from './machines.ts'
import { cluster } from './set-ups.ts'

/**
 * KubeVirt makes a restore its machine's, so that Argo CD does not take it away, and lets no other begin while it goes on.
 * One that never ends must not keep the machine from what it was.
 */

let chain: Chain
const machines = machinesOf(() => chain)
beforeAll(async () => {
  chain = await startChain()
})
afterAll(() => chain.close())

describe('a restore that the storage never ends', { timeout: isReal() ? 300_000 : 180_000 }, () => {
  it('gives way to the one that puts the disks back', async () => {
    const vm = await machines.provisioned({ disks: [{ name: 'data', size: '1Gi' }] })
    await machines.completed('snapshot', { ...place(vm), snapshot: 'clean' })
    const before = await machines.definitionOf(vm)
    const claimsBefore = dataOnly(await machines.claimsOf(vm))
    // The played node knows no namespaces; nothing else is restored here.
    const mend = chain.fault('restore-hangs', isReal() ? undefined : vm.namespace)
    const run = await chain.request({ ...place(vm), snapshot: 'clean', deadlineMinutes: 1 }, { lifecycle: 'restore' })
    const failed = await chain.feed.first((seen) => seen.run === run.id && seen.type.endsWith('.failed'))
    expect(failed.type).toBe('dev.drover.restore.restore.verify.failed')
    const stuck = `${vm.name}-restore-${run.id.slice(0, 8)}`
    expect(await machines.statusOf(vm)).toMatchObject({ restoreInProgress: stuck })
    mend()
    const ended = await run.ended
    expect([ended.type, ended.data.message]).toEqual(['dev.drover.restore.rolledback', expect.anything()])
    expect(factsOf(run)).not.toContain('stranded')
    const { pinned: _, ...now } = (await machines.definitionOf(vm)) as { pinned?: boolean }
    expect(now).toEqual(before)
    // The disks are those of its own snapshot: claims that came anew, and are the machine's from now on.
    const claims = dataOnly(await machines.claimsOf(vm))
    expect(claims).toEqual(await machines.recorded(vm))
    expect(Object.keys(claims)).toEqual(Object.keys(claimsBefore))
    expect(Object.values(claims)).not.toEqual(Object.values(claimsBefore))
    const again = await chain.look(cluster, 'VirtualMachineRestore', vm.namespace, stuck)
    expect(again).toMatchObject({
      spec: { virtualMachineSnapshotName: `${vm.name}-undo-${run.id.slice(0, 8)}` },
      status: { complete: true },
    })
    await machines.completed('power', { ...place(vm), action: 'restart' })
  })
})
