import { describe, expect, it } from 'vitest'
import { locate } from '../../../functions/locate/locate.ts'
import { locateStep } from '../../../functions/locate/step.ts'
import { virtualMachine } from '../../../shared/kubevirt/virtual-machine.ts'
import { readRecord } from '../../../shared/ledger.ts'
import { lockOf, toLock } from '../../../shared/lock.ts'
import type { MachineView } from '../../../shared/machines.ts'
import { claimsFile, nameFile, runFile } from '../../../shared/paths.ts'
import type { Definition } from '../../../shared/schema/definition.ts'
import type { Facts } from '../../../shared/step.ts'
import { toYaml } from '../../../shared/yaml.ts'
import { linuxServer } from '../../shared/kubevirt/definitions.ts'
import { changing, commitAs, fleetHaving, machineOf } from '../changes.ts'
import { hereOf } from '../here.ts'
import { machinesShowing } from '../machines.ts'
import { runningView } from '../verify/views.ts'

const server: Definition = linuxServer({ name: 'db-01', namespace: 'shop', cluster: 'site-a', disks: [] })
const run = changing('power', { action: 'stop' }, 'locate')

/** The machine as Git says, busy with what its status says. */
function shown(busy: object = {}): MachineView {
  const { machine, ...rest } = runningView(server)
  const { spec } = virtualMachine(server)
  return { ...rest, machine: { ...machine, spec, status: { ...machine?.status, ...busy } } } as unknown as MachineView
}

const goldenImages = { version: () => expect.fail(), dataSource: () => expect.fail() }
const address = machineOf(server)
const other = 'ffffffffffffffffffff'

/** Locates as the function does, with what a cluster shows of the machine. */
async function located(about = run, fleet = fleetHaving(server), views: MachineView[] = [shown()]) {
  const hub = { managedCluster: () => expect.fail() }
  const clients = { hub, goldenImages, machines: machinesShowing(...views) }
  return locateStep(await fleet, clients)(about, hereOf().here)
}

describe('a machine that is to be changed', () => {
  const facts = {
    ...{ name: 'db-01', cluster: 'site-a', wasRunning: true },
    ...{ identity: server.identity, interfaces: server.interfaces, dns: server.dns },
    claims: {},
  }

  it('is held by a lock and a record, in one commit, and known', async () => {
    const fleet = await fleetHaving(server)
    expect(await located(run, Promise.resolve(fleet))).toEqual({
      kind: 'succeeded',
      message: 'Found shop/db-01 on site-a, and hold it',
      facts,
    })
    expect(fleet.commits).toMatchObject([
      { subject: `Hold shop/db-01 for power run ${run.id}`, trailers: { run: run.id, step: 'locate' } },
    ])
    expect((await fleet.files())[lockOf(address)]).toBe(toLock(run))
    expect(await readRecord(await fleet.head(), run.id)).toMatchObject({ task: 'locate', facts })
  })

  it.each<[string, object, object, { agent?: boolean }]>([
    ['that is ready says nothing of it', {}, {}, {}],
    [
      'whose guest is not ready says so',
      { wasReady: false },
      { ready: false, printableStatus: 'CrashLoopBackOff' },
      {},
    ],
    ['whose guest agent does not speak says so', { hadAgent: false }, {}, { agent: false }],
  ])('%s', async (_, lacked, status, guest) => {
    const { machine, ...rest } = shown(status)
    const view = { ...rest, machine, instance: runningView(server, guest).instance } as MachineView
    const { facts: known } = (await located(run, fleetHaving(server), [view])) as { facts?: Facts }
    const { wasReady, hadAgent } = known ?? {}
    expect({ wasReady, hadAgent }).toEqual({ wasReady: undefined, hadAgent: undefined, ...lacked })
  })

  it('that is off is not to be ready', async () => {
    const off = { ...server, running: false }
    const view = shown({ ready: false, printableStatus: 'Stopped' })
    const spec = virtualMachine(off).spec as object
    const stopped = { ...view, machine: { ...view.machine, spec } } as MachineView
    const { facts: known } = (await located(run, fleetHaving(off), [stopped])) as { facts?: Facts }
    expect(known).toMatchObject({ wasRunning: false })
    expect(known).not.toHaveProperty('wasReady')
  })

  it('is held once, however often its request comes', async () => {
    const fleet = fleetHaving(server)
    const first = await located(run, fleet)
    expect(await located(run, fleet)).toEqual(first)
    expect((await fleet).commits).toHaveLength(1)
  })

  it('brings the run that made it and the claims that were recorded', async () => {
    const fleet = await fleetHaving(server)
    fleet.put({
      [nameFile('db-01')]: toYaml({ name: 'db-01', namespace: 'shop', run: other }),
      [claimsFile('site-a', 'shop', 'db-01')]: toYaml({ old: 'uid-of-old' }),
    })
    expect(await located(run, Promise.resolve(fleet))).toMatchObject({
      facts: { madeBy: other, claims: { old: 'uid-of-old' } },
    })
  })

  it('is not held again by a run that is further, nor by one that is being undone', async () => {
    const fleet = await fleetHaving(server)
    await commitAs({ ...run, task: 'power.commit' }, fleet)
    expect(await located(run, Promise.resolve(fleet))).toEqual({
      kind: 'ignored',
      message: `Run ${run.id} is further than this`,
    })
    fleet.put({ [runFile(run.id)]: toYaml({ run: run.id, state: 'undoing' }) })
    expect(await located(run, Promise.resolve(fleet))).toEqual({
      kind: 'ignored',
      message: `Run ${run.id} has ended: it holds nothing again`,
    })
    expect(fleet.commits).toEqual([])
  })

  it.each([
    ['another machine', changing('power', { name: 'web-01', action: 'stop' }, 'locate')],
    ['another wish', changing('power', { action: 'start' }, 'locate')],
    ['another lifecycle', changing('deprovision', { destroy: ['data'] }, 'locate')],
  ])('is not what a request of the same source and id about %s is about', async (_, another) => {
    const fleet = await fleetHaving(server)
    await located(run, Promise.resolve(fleet))
    expect(await located(another, Promise.resolve(fleet))).toEqual({
      kind: 'ignored',
      message: `Run ${run.id} is that of another request: its source and id were used before`,
    })
    expect(fleet.commits).toHaveLength(1)
  })

  it('that another run holds is refused, or waited for where the request says so', async () => {
    const holder = changing('patch', {}, 'locate', { id: other, requester: 'bob' })
    const held = async () => {
      const fleet = await fleetHaving(server)
      await commitAs(holder, fleet, [{ path: lockOf(address), content: toLock(holder) }])
      return fleet
    }
    const says = `shop/db-01 on site-a is held by run ${other}: a patch that bob asked for at ${holder.since}`
    expect(await located(run, held())).toEqual({
      ...{ kind: 'refused', facts: {} },
      message: `Cannot hold the machine: ${says}`,
    })
    const patient = changing('power', { action: 'stop', wait: true }, 'locate')
    expect(await located(patient, held())).toEqual({ kind: 'notYet', message: says })
  })

  it('is refused where there is none', async () => {
    expect(await located(run, fleetHaving())).toEqual({
      ...{ kind: 'refused', facts: {} },
      message: 'Cannot find the machine: namespace "shop" has no machine "db-01", wanted one that there is',
    })
  })

  it('is refused where the cluster is not what Git says', async () => {
    const halted = { ...shown(), machine: undefined }
    expect(await located(run, fleetHaving(server), [halted])).toEqual({
      ...{ kind: 'refused', facts: {} },
      message:
        'Cannot go on with shop/db-01 on site-a: the cluster is not what Git says: the cluster has no VirtualMachine of that name',
    })
  })

  it('is refused where its claims do not let the run do what it is to do', async () => {
    // Its stand-in's claims ask for nothing, and are all bound.
    const growing = changing('resize', { grow: { root: '40Gi' } }, 'locate')
    expect(await located(growing)).toMatchObject({ kind: 'succeeded' })
    const machines = { ...machinesShowing(shown()), claims: async () => [] }
    expect(await locate(growing, await fleetHaving(server), { machines, goldenImages }, hereOf().here)).toEqual({
      ...{ kind: 'refused', facts: {} },
      message:
        'Cannot do the resize of shop/db-01 on site-a: grow.root is "40Gi", and its claim db-01-root-71f75f7d is not there',
    })
  })

  it('may be gone from its cluster where it is to go', async () => {
    const going = changing('deprovision', {}, 'locate')
    expect(await located(going, fleetHaving(server), [{ ...shown(), machine: undefined }])).toMatchObject({
      kind: 'succeeded',
      facts,
    })
  })

  it('is refused where a disk is marked to be destroyed by a run that is over, but for one that takes the machine away', async () => {
    const disks = [{ name: 'data', size: '5Gi', destroyed: true }]
    const marked = { ...server, disks }
    expect(await located(run, fleetHaving(marked))).toMatchObject({
      kind: 'refused',
      message:
        'Cannot change shop/db-01 on site-a: a de-provisioning that was not finished has marked "data" to be destroyed. Put the machine\'s files back to what they were before it',
    })
    const fleet = await fleetHaving(marked)
    await located(changing('deprovision', {}, 'locate'), Promise.resolve(fleet))
    expect(fleet.commits).toHaveLength(1)
  })

  it('is waited for while the run goes on that has marked its disk', async () => {
    const marked = { ...server, disks: [{ name: 'data', size: '5Gi', destroyed: true }] }
    const going = changing('deprovision', {}, 'stop.commit', { id: other })
    const fleet = await fleetHaving(marked)
    await commitAs(going, fleet, [{ path: lockOf(address), content: toLock(going) }])
    const patient = changing('power', { action: 'stop', wait: true }, 'locate')
    expect(await located(patient, Promise.resolve(fleet))).toMatchObject({ kind: 'notYet' })
  })

  it('is none of what a provision is about', async () => {
    await expect(located(changing('provision', {}, 'locate'))).rejects.toThrow(
      `Cannot find the machine of run ${run.id}: it is not about one that there is`,
    )
  })
})

describe('a machine that another is made from', () => {
  const taken = { name: 'db-01-clean', purpose: 'asked', run: 'r', taken: '2030-01-01T00:00:00.000Z' } as const
  const disks = ['db-01-root-71f75f7d']
  const snapshots = [{ ...taken, disks }]

  it('lends what is not its own: size, disks, networks and variables, where the snapshot is', async () => {
    const variables = { tier: 'db' }
    const origin = { ...server, snapshots, variables, rootDisk: { size: '30Gi', storageClass: 'fast' } }
    const cloning = changing('clone', { snapshot: 'clean', as: { name: 'db-02' } }, 'locate', { facts: {} })
    const machines = {
      ...machinesShowing(),
      volumesOf: async () => ({ rootdisk: 'vs-root' }),
      sizeIn: async () => ({ instancetype: true, preference: true, claims: {} }),
    }
    const shownOrigin = {
      ...shown(),
      machine: { ...shown().machine, spec: virtualMachine(origin).spec },
    } as MachineView
    async function* watch() {
      yield shownOrigin
    }
    const fleet = await fleetHaving(origin)
    const outcome = await locate(cloning, fleet, { machines: { ...machines, watch }, goldenImages }, hereOf().here)
    expect(outcome).toEqual({
      kind: 'succeeded',
      message: 'Found shop/db-01 on site-a, and hold it',
      facts: {
        origin: { name: 'db-01', snapshot: 'clean', owner: origin.owner, volumes: { rootdisk: 'vs-root' } },
        labels: { tier: 'web' },
        machine: {
          ...{ template: 'linux-small', guest: 'linux', guestAgent: true, image: origin.image, size: origin.size },
          ...{ customizations: [], disks: [], variables, placement: { cluster: 'site-a' } },
          rootDisk: { size: '30Gi', storageClass: 'fast' },
          networks: [{ network: server.interfaces[0]?.network }],
        },
      },
    })
    expect(await readRecord(await fleet.head(), cloning.id)).toMatchObject({ facts: { claims: {} } })
  })
})

describe('a machine that KubeVirt is busy with', () => {
  it.each([
    [{ snapshotInProgress: 'nightly' }, 'snapshot nightly is being taken'],
    [{ restoreInProgress: 'undo' }, 'restore undo goes on'],
  ])('is waited for while its status says %j', async (busy, says) => {
    const { here, told } = hereOf()
    const machines = machinesShowing(shown(busy), shown())
    const outcome = await locate(run, await fleetHaving(server), { machines, goldenImages }, here)
    expect(told).toEqual([`shop/db-01 on site-a is busy: ${says}`])
    expect(outcome.kind).toBe('succeeded')
  })

  it('is waited for again in the next delivery', async () => {
    const { here, endPatience } = hereOf()
    const machines = machinesShowing(shown({ snapshotInProgress: 'nightly' }), endPatience)
    expect(await locate(run, await fleetHaving(server), { machines, goldenImages }, here)).toMatchObject({
      kind: 'notYet',
      message: expect.stringContaining('snapshot nightly is being taken'),
    })
  })
})
