import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { MachineAddress } from '../../shared/machines.ts'
import { dueFile } from '../../shared/paths.ts'
import { type Chain, startOver } from './harness.ts'
import { contentIn, machinesOf, place } from './machines.ts'

/** Machines on a KubeVirt that does not restore in place without taking the disks: before 1.7. */

let chain: Chain
beforeAll(async () => {
  chain = await startOver('1.5', { DROVER_GRACE_SECONDS: '3' })
})
afterAll(() => chain.close())

const { completed, crashed, definitionOf, statusOf, ...machines } = machinesOf(() => chain)
const provisioned = () => machines.provisioned({ disks: [{ name: 'data', size: '5Gi' }] })
/** The claims that it mounts, its root disk's first, each with its uid. */
const claimsOf = async (vm: MachineAddress) => Object.entries(await machines.claimsOf(vm))
const claim = (name: string) => chain.look('site-a', 'PersistentVolumeClaim', 'shop', name)

describe('a machine on an older KubeVirt', () => {
  it('is put back to a snapshot on new disks, and those from before are there', async () => {
    const vm = await provisioned()
    await completed('snapshot', { ...place(vm), snapshot: 'clean' })
    const before = await claimsOf(vm)
    const planned = await completed('restore', { ...place(vm), snapshot: 'clean', plan: true })
    expect(planned.ended.data.message).toContain('all disks are made anew')
    expect(await claimsOf(vm)).toEqual(before)

    const { run, ended } = await completed('restore', { ...place(vm), snapshot: 'clean' })
    expect(ended.data.message).toContain('they are new ones, and those from before are kept')
    const after = await claimsOf(vm)
    expect(after).toHaveLength(2)
    for (const [name, uid] of before) {
      expect(after.map(([one]) => one)).not.toContain(name)
      expect((await claim(name))?.metadata.uid).toBe(uid)
    }
    expect(
      await chain.look('site-a', 'VirtualMachineRestore', 'shop', `${vm.name}-restore-${run.id.slice(0, 8)}`),
    ).toBe(undefined)
    const { oldRoots = [], disks } = await definitionOf(vm)
    expect(oldRoots).toMatchObject([{ name: before[0]?.[0], until: expect.any(String) }])
    expect(disks).toMatchObject([{ claim: after[1]?.[0] }])
    expect(Object.keys(await chain.files())).toContain(`kept/site-a/shop/${before[1]?.[0]}.yaml`)
    expect(await statusOf(vm)).toMatchObject({ printableStatus: 'Running' })

    // The disks that the snapshot is of are not the machine's any more, and yet it can be put back again.
    await completed('snapshot', { ...place(vm), action: 'list' })
    await completed('restore', { ...place(vm), snapshot: 'clean' })
    expect((await claimsOf(vm)).map(([name]) => name)).not.toEqual(after.map(([name]) => name))
  })

  it.each([
    ['when it starts, where its storage waits for its pod', true],
    ['before it starts, where it stays off', false],
  ])('gets new disks that are filled %s', async (_, runs) => {
    const zonal = { storageClass: 'zonal' }
    const vm = await machines.provisioned({
      rootDisk: { size: '30Gi', ...zonal },
      disks: [{ name: 'data', size: '5Gi', ...zonal }],
    })
    const content = await machines.contentOf(vm)
    await completed('snapshot', { ...place(vm), snapshot: 'clean' })
    await completed('resize', { ...place(vm), grow: { data: '8Gi' } })
    if (!runs) await completed('power', { ...place(vm), action: 'stop' })
    await completed('restore', { ...place(vm), snapshot: 'clean' })
    if (!runs) await completed('power', { ...place(vm), action: 'start' })
    expect(await machines.contentOf(vm)).toBe(content)
    const [, data] = await machines.mountedBy(vm)
    expect(data).toMatchObject({ spec: { resources: { requests: { storage: '8Gi' } } }, status: { phase: 'Bound' } })
    expect(await statusOf(vm)).toMatchObject({ printableStatus: 'Running' })
  })

  it('whose restore fails runs from the disks that it had, and those that a guest has seen are kept for a while', async () => {
    const vm = await provisioned()
    await completed('snapshot', { ...place(vm), snapshot: 'clean' })
    const [before, definition] = [await claimsOf(vm), await definitionOf(vm)]
    const { run, ended } = await crashed('restore', { ...place(vm), snapshot: 'clean' })
    expect(ended.data.facts?.kept).toEqual([`shop/${vm.name}-data-data-${run.id.slice(0, 6)}`])
    expect(await claimsOf(vm)).toEqual(before)
    const { oldRoots, ...rest } = await definitionOf(vm)
    expect(rest).toEqual(definition)
    expect(oldRoots).toMatchObject([{ name: `${vm.name}-root-${run.id.slice(0, 8)}`, until: expect.any(String) }])
    expect(await statusOf(vm)).toMatchObject({ printableStatus: 'Running' })
  })

  it('whose patch fails runs from a root disk as it was, and the one that was changed is kept for a while', async () => {
    const vm = await provisioned()
    const [[root = '', uid] = [], ...data] = await claimsOf(vm)
    const content = contentIn(await claim(root))
    const definition = await definitionOf(vm)
    const { run } = await crashed('patch', place(vm))
    const [[now] = [], ...others] = await claimsOf(vm)
    expect(now).toBe(`${vm.name}-root-undo-${run.id.slice(0, 8)}`)
    expect(others).toEqual(data)
    expect(contentIn(await claim(now ?? ''))).toBe(content)
    expect(contentIn(await claim(root))).toContain('patch')
    expect((await claim(root))?.metadata.uid).toBe(uid)
    const { rootDisk, oldRoots, ...rest } = await definitionOf(vm)
    expect(oldRoots).toMatchObject([{ name: root, until: expect.any(String) }])
    expect({ ...rest, rootDisk: definition.rootDisk }).toEqual(definition)
    const day = oldRoots?.[0]?.until?.slice(0, 10) ?? ''
    expect(Object.keys(await chain.files())).toContain(dueFile(day, 'site-a', 'shop', vm.name))
    expect(await statusOf(vm)).toMatchObject({ printableStatus: 'Running' })
    await completed('patch', place(vm))
  })
})
