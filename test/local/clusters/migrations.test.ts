import { afterAll, beforeAll, expect, it } from 'vitest'
import { faultAnnotation } from '../../../local/clusters/faults.ts'
import type { NewObject } from '../../../local/clusters/object.ts'
import { fieldAt } from '../../../local/clusters/selector.ts'
import type { Store } from '../../../local/clusters/store.ts'
import { change, dataVolume, machine, namespace, record, startFleet, until, untilGone } from './harness.ts'

let fleet: Awaited<ReturnType<typeof startFleet>>
let store: Store
let macs = 0

beforeAll(async () => {
  fleet = await startFleet({ seed: { 'site-a': [namespace('shop')] } })
  store = fleet.clusters.store('site-a')
})
afterAll(() => fleet.end())

async function running(name: string, storage: object = {}) {
  macs += 1
  store.create(dataVolume(name, { storage: { resources: { requests: { storage: '1Gi' } }, ...storage } }))
  store.create(machine(name, { disks: [name], mac: `02:00:00:00:08:0${macs}` }))
  await until(store, 'VirtualMachine', `shop/${name}`, { 'status.ready': true })
}

const migration = (name: string, vmiName: string, annotations = {}): NewObject => ({
  apiVersion: 'kubevirt.io/v1',
  kind: 'VirtualMachineInstanceMigration',
  metadata: { name, namespace: 'shop', annotations },
  spec: { vmiName },
})
const phase = (name: string, wanted: string) =>
  until(store, 'VirtualMachineInstanceMigration', `shop/${name}`, { 'status.phase': wanted })
const instance = (name: string) => store.get('VirtualMachineInstance', 'shop', name)
const pods = (name: string) =>
  store.list('Pod', 'shop').filter(({ metadata }) => metadata.labels?.['vm.kubevirt.io/name'] === name)

it('a migration takes a guest to another node, through its phases in order, and back', async () => {
  await running('mover')
  const phases = record(store, 'VirtualMachineInstanceMigration', 'away', 'status.phase')
  const states = record(store, 'VirtualMachine', 'mover', 'status.printableStatus')
  store.create(migration('away', 'mover'))
  await phase('away', 'Succeeded')
  expect(phases).toEqual([
    'Pending',
    'Scheduling',
    'Scheduled',
    'PreparingTarget',
    'TargetReady',
    'Running',
    'Succeeded',
  ])
  await until(store, 'VirtualMachine', 'shop/mover', { 'status.printableStatus': 'Running', 'status.ready': true })
  expect(states.filter((state) => state !== 'Running')).toEqual(['Migrating'])
  expect(instance('mover')).toMatchObject({
    status: {
      nodeName: 'node-2',
      migrationState: { sourceNode: 'node-1', targetNode: 'node-2', completed: true, endTimestamp: expect.any(String) },
    },
  })
  expect(
    pods('mover')
      .map((pod) => fieldAt(pod, 'status.phase'))
      .sort(),
  ).toEqual(['Running', 'Succeeded'])
  store.create(migration('home', 'mover'))
  await phase('home', 'Succeeded')
  expect(fieldAt(instance('mover'), 'status.nodeName')).toBe('node-1')
  change(store, 'VirtualMachine', 'mover', { runStrategy: 'Halted' })
  await untilGone(store, 'VirtualMachineInstance', 'shop/mover')
  expect(pods('mover')).toEqual([])
})

it('a migration with migration-fails leaves the guest where it is', async () => {
  await running('stayer')
  store.create(migration('vain', 'stayer', { [faultAnnotation]: 'migration-fails' }))
  await phase('vain', 'Failed')
  expect(instance('stayer')).toMatchObject({
    status: {
      phase: 'Running',
      nodeName: 'node-1',
      migrationState: { failed: true, failureReason: expect.any(String) },
    },
  })
  await expect.poll(() => pods('stayer')).toHaveLength(1)
  store.create(migration('again', 'stayer'))
  await phase('again', 'Succeeded')
})

it('a migration is refused of a guest that is not there, cannot move or moves', async () => {
  const refused = (name: string) => expect(() => store.create(migration('refused', name)))
  const denied = 'admission webhook "migration-create-validator.kubevirt.io" denied the request: '
  refused('nobody').toThrow(`${denied}the VMI "shop/nobody" does not exist`)
  await running('bound', { accessModes: ['ReadWriteOnce'] })
  refused('bound').toThrow(
    `${denied}Cannot migrate VMI, Reason: DisksNotLiveMigratable, Message: cannot migrate VMI: PVC bound is not shared, live migration requires that all PVCs must be shared (using ReadWriteMany access mode)`,
  )
  await running('twice')
  store.create(migration('first', 'twice'))
  refused('twice').toThrow('in-flight migration detected. Active migration job')
  await phase('first', 'Succeeded')
})
