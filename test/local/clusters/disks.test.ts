import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { faultAnnotation } from '../../../local/clusters/faults.ts'
import type { KubeObject, NewObject } from '../../../local/clusters/object.ts'
import type { Store } from '../../../local/clusters/store.ts'
import {
  change,
  content,
  dataVolume,
  events,
  golden,
  machine,
  namespace,
  snapshot,
  startFleet,
  until,
  untilGone,
} from './harness.ts'

let fleet: Awaited<ReturnType<typeof startFleet>>
let store: Store

beforeAll(async () => {
  fleet = await startFleet({ seed: { 'site-a': [namespace('shop')] } })
  store = fleet.clusters.store('site-a')
})
afterAll(() => fleet.end())

const filled = (name: string) => until(store, 'DataVolume', `shop/${name}`, { 'status.phase': 'Succeeded' })
const size = (storage: string) => ({ resources: { requests: { storage } } })
const image = (url: string) => ({ source: { registry: { url } } })
const dataSource = (name: string, source: object): NewObject => ({
  apiVersion: 'cdi.kubevirt.io/v1beta1',
  kind: 'DataSource',
  metadata: { name, namespace: 'shop' },
  spec: { source },
})

describe('a claim', () => {
  it.each<[string, object, string]>([
    ['golden', golden, 'rhel9'],
    ['imported', image('docker://registry.example.org/rhel9:1'), 'docker://registry.example.org/rhel9:1'],
    ['empty', {}, 'blank'],
  ])('says what is on it: %s', async (name, spec, wanted) => {
    store.create(dataVolume(name, spec))
    await filled(name)
    expect(content(store, name)).toBe(wanted)
  })

  it('grows after a while, and never shrinks', async () => {
    store.create(dataVolume('growing'))
    await filled('growing')
    change(store, 'PersistentVolumeClaim', 'growing', size('20Gi'))
    await until(store, 'PersistentVolumeClaim', 'shop/growing', { 'status.conditions[Resizing].status': 'True' })
    await until(store, 'PersistentVolumeClaim', 'shop/growing', { 'status.capacity.storage': '20Gi' })
    expect(() => change(store, 'PersistentVolumeClaim', 'growing', size('10Gi'))).toThrow(
      'PersistentVolumeClaim "growing" is invalid: spec.resources.requests.storage: Forbidden: field can not be less than status.capacity',
    )
    expect(() => change(store, 'PersistentVolumeClaim', 'growing', { storageClassName: 'local' })).toThrow(
      'spec is immutable after creation except resources.requests',
    )
    expect(() => change(store, 'DataVolume', 'growing', { storage: size('30Gi') })).toThrow(
      'Cannot update DataVolume Spec',
    )
  })

  it('with grow-fails stays as it is, and says why', async () => {
    store.create(dataVolume('full'))
    await filled('full')
    fleet.clusters.faults.add({ fault: 'grow-fails', kind: 'PersistentVolumeClaim', name: 'full' })
    change(store, 'PersistentVolumeClaim', 'full', size('20Gi'))
    await expect
      .poll(() => events(store, 'full'))
      .toEqual([expect.stringMatching(/^VolumeResizeFailed: resize volume/)])
    fleet.clusters.faults.clear()
    await until(store, 'PersistentVolumeClaim', 'shop/full', { 'status.capacity.storage': '20Gi' })
  })

  it('of a storage class that cannot grow is refused more', async () => {
    store.create(dataVolume('rigid', { storage: { ...size('1Gi'), storageClassName: 'local' } }, immediate))
    await filled('rigid')
    expect(() => change(store, 'PersistentVolumeClaim', 'rigid', size('2Gi'))).toThrow(
      'persistentvolumeclaims "rigid" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
    )
  })

  it('is not made by who knows nothing but its size', () => {
    const claim = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'bare', namespace: 'shop' } }
    expect(() => store.create({ ...claim, spec: size('20Gi') })).toThrow(
      'PersistentVolumeClaim "bare" is invalid: spec.accessModes: Required value: at least 1 access mode is required',
    )
  })

  it('that is deleted under its DataVolume is made anew, and filled from the source again', async () => {
    store.create(dataVolume('remade', golden))
    await filled('remade')
    const uid = () => store.get('PersistentVolumeClaim', 'shop', 'remade')?.metadata.uid
    const before = uid()
    store.remove('PersistentVolumeClaim', 'shop', 'remade')
    await until(store, 'DataVolume', 'shop/remade', { 'status.phase': 'Pending' })
    await filled('remade')
    expect(uid()).not.toBe(before)
  })
})

describe('a clone', () => {
  it('of a claim waits until no guest has that', async () => {
    store.create(dataVolume('source', golden))
    await filled('source')
    store.create(machine('holder', { disks: ['source'] }))
    await until(store, 'VirtualMachine', 'shop/holder', { 'status.ready': true })
    store.create(dataVolume('copy', { source: { pvc: { namespace: 'shop', name: 'source' } } }))
    await expect
      .poll(() => events(store, 'copy'))
      .toContainEqual(
        expect.stringMatching(
          /^CloneSourceInUse: pod shop\/virt-launcher-holder-\w+ using PersistentVolumeClaim source$/,
        ),
      )
    change(store, 'VirtualMachine', 'holder', { runStrategy: 'Halted' })
    await filled('copy')
    expect(content(store, 'copy')).toBe('rhel9')
  })

  it('of a snapshot has what the claim had then', async () => {
    store.create(snapshot('then', 'holder'))
    const { metadata } = await until(store, 'VirtualMachineSnapshot', 'shop/then', { 'status.readyToUse': true })
    const name = `vmsnapshot-${metadata.uid}-volume-source`
    store.create(dataVolume('old', { source: { snapshot: { namespace: 'shop', name } } }))
    await until(store, 'DataVolume', 'shop/old', { 'status.phase': 'CloneFromSnapshotSourceInProgress' })
    await filled('old')
    expect(content(store, 'old')).toBe('rhel9')
  })

  it('with clone-fails is tried for ever', async () => {
    store.create(dataVolume('never', golden, { [faultAnnotation]: 'clone-fails' }))
    await until(store, 'DataVolume', 'shop/never', {
      'status.phase': 'CloneScheduled',
      'status.conditions[Running].reason': 'Error',
    })
  })
})

describe('a DataSource', () => {
  it('says what it stands for, once that is there, and follows another one', async () => {
    store.create(dataSource('current', { pvc: { namespace: 'shop', name: 'awaited' } }))
    store.create(dataSource('alias', { dataSource: { namespace: 'shop', name: 'current' } }))
    await until(store, 'DataSource', 'shop/current', { 'status.conditions[Ready].message': 'PVC not found' })
    store.create(dataVolume('awaited'))
    for (const name of ['current', 'alias'])
      await until(store, 'DataSource', `shop/${name}`, {
        'status.conditions[Ready].status': 'True',
        'status.source.pvc.name': 'awaited',
      })
    store.remove('DataVolume', 'shop', 'awaited')
    await untilGone(store, 'PersistentVolumeClaim', 'shop/awaited')
    await until(store, 'DataSource', 'shop/current', {
      'status.conditions[Ready].status': 'False',
      'status.source.pvc': undefined,
    })
  })
})

describe('a DataImportCron', () => {
  const digest = (letter: string) => `sha256:${letter.repeat(64)}`
  const publish = (letter: string) => {
    const live = store.get('DataImportCron', 'shop', 'nightly')
    const annotations = { 'cdi.kubevirt.io/storage.import.sourceDesiredDigest': digest(letter) }
    if (live) store.modify(live, (current) => ({ ...current, metadata: { ...current.metadata, annotations } }))
    return until(store, 'DataSource', 'shop/rhel', {
      'spec.source.pvc.name': `rhel-${letter.repeat(12)}`,
      'status.conditions[Ready].status': 'True',
    })
  }

  it('imports each image under the name of its digest, points its DataSource there, and keeps some', async () => {
    store.create({
      apiVersion: 'cdi.kubevirt.io/v1beta1',
      kind: 'DataImportCron',
      metadata: { name: 'nightly', namespace: 'shop' },
      spec: {
        managedDataSource: 'rhel',
        schedule: '0 3 * * *',
        importsToKeep: 2,
        template: { spec: { ...image('docker://registry.example.org/rhel9'), storage: size('10Gi') } },
      },
    })
    await until(store, 'DataSource', 'shop/rhel', { 'status.conditions[Ready].status': 'True' })
    const cron = await until(store, 'DataImportCron', 'shop/nightly', { 'status.conditions[UpToDate].status': 'True' })
    const first = (cron['status'] as { lastImportedPVC: { name: string } }).lastImportedPVC.name
    expect(first).toMatch(/^rhel-[0-9a-f]{12}$/)
    for (const letter of ['a', 'b', 'c']) await publish(letter)
    await untilGone(store, 'PersistentVolumeClaim', `shop/${first}`)
    expect(store.get('PersistentVolumeClaim', 'shop', `rhel-${'c'.repeat(12)}`)).toBeDefined()
  })

  it('keeps its spec for its life', () => {
    const live = store.get('DataImportCron', 'shop', 'nightly') as KubeObject
    const spec = { ...(live['spec'] as object), schedule: '0 4 * * *' }
    expect(() => store.modify(live, (current) => ({ ...current, spec }))).toThrow('Cannot update DataImportCron Spec')
  })
})

const immediate = { 'cdi.kubevirt.io/storage.bind.immediate.requested': 'true' }
