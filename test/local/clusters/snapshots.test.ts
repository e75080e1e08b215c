import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { healthOf } from '../../../local/clusters/controllers/argocd-health.ts'
import { faultAnnotation } from '../../../local/clusters/faults.ts'
import { fieldAt } from '../../../local/clusters/selector.ts'
import type { Store } from '../../../local/clusters/store.ts'
import {
  change,
  content,
  dataVolume,
  golden,
  job,
  machine,
  namespace,
  record,
  restore,
  snapshot,
  startFleet,
  until,
  untilGone,
} from './harness.ts'

let fleet: Awaited<ReturnType<typeof startFleet>>
let store: Store
let macs = 0

beforeAll(async () => {
  fleet = await startFleet({ seed: { 'site-a': [namespace('shop')] } })
  store = fleet.clusters.store('site-a')
})
afterAll(() => fleet.end())

/** A machine over a root disk and a data disk, as it stands when it is ready or stopped. */
async function made(name: string, runStrategy = 'Always') {
  macs += 1
  store.create(dataVolume(`${name}-root`, golden))
  store.create(dataVolume(`${name}-data`))
  const disks = [`${name}-root`, `${name}-data`]
  store.create(
    machine(name, { disks, spec: { runStrategy }, mac: `02:00:00:00:07:${macs.toString(16).padStart(2, '0')}` }),
  )
  for (const disk of disks) await until(store, 'DataVolume', `shop/${disk}`, { 'status.phase': 'Succeeded' })
  if (runStrategy === 'Halted') return
  await until(store, 'VirtualMachineInstance', `shop/${name}`, { 'status.conditions[AgentConnected].status': 'True' })
}

const ready = (name: string) => until(store, 'VirtualMachineSnapshot', `shop/${name}`, { 'status.readyToUse': true })
const complete = (name: string) => until(store, 'VirtualMachineRestore', `shop/${name}`, { 'status.complete': true })
const stopped = (name: string) => {
  change(store, 'VirtualMachine', name, { runStrategy: 'Halted' })
  return untilGone(store, 'VirtualMachineInstance', `shop/${name}`)
}

describe('a snapshot', () => {
  it('of a running machine locks it, asks its agent to hold still, and names the disks that it has', async () => {
    await made('online')
    const phases = record(store, 'VirtualMachineSnapshot', 'first', 'status.phase')
    const locks = record(store, 'VirtualMachine', 'online', 'status.snapshotInProgress')
    const frozen = record(store, 'VirtualMachineInstance', 'online', 'status.fsFreezeStatus')
    store.create(snapshot('first', 'online'))
    const taken = await ready('first')
    expect([phases, locks, frozen]).toEqual([['InProgress', 'Succeeded'], ['first'], ['frozen']])
    expect(taken).toMatchObject({
      status: {
        creationTime: expect.any(String),
        virtualMachineSnapshotContentName: `vmsnapshot-content-${taken.metadata.uid}`,
        sourceIndications: [{ indication: 'GuestAgent' }, { indication: 'Online' }],
        snapshotVolumes: { includedVolumes: ['online-root', 'online-data'] },
        conditions: [
          { type: 'Progressing', status: 'False', reason: 'Operation complete' },
          { type: 'Ready', status: 'True' },
        ],
      },
    })
    expect(fieldAt(store.get('VirtualMachine', 'shop', 'online'), 'status.snapshotInProgress')).toBeUndefined()
    expect(healthOf(taken)).toBeUndefined()
  })

  it('of a stopped machine says nothing of a guest, and leaves out what its storage cannot snapshot', async () => {
    await made('offline', 'Halted')
    const storage = { storageClassName: 'local', resources: { requests: { storage: '1Gi' } } }
    store.create(
      dataVolume('offline-local', { storage }, { 'cdi.kubevirt.io/storage.bind.immediate.requested': 'true' }),
    )
    await until(store, 'DataVolume', 'shop/offline-local', { 'status.phase': 'Succeeded' })
    macs += 1
    store.create(
      machine('mixed', {
        disks: ['offline-data', 'offline-local'],
        spec: { runStrategy: 'Halted' },
        mac: '02:00:00:00:07:f0',
      }),
    )
    await until(store, 'VirtualMachine', 'shop/mixed', {
      'status.volumeSnapshotStatuses.0.enabled': true,
      'status.volumeSnapshotStatuses.1.reason':
        'No VolumeSnapshotClass: Volume snapshots are not configured for this StorageClass [local] [offline-local]',
    })
    store.create(snapshot('cold', 'mixed'))
    const taken = await ready('cold')
    expect(fieldAt(taken, 'status.sourceIndications')).toBeUndefined()
    expect(fieldAt(taken, 'status.snapshotVolumes')).toEqual({
      includedVolumes: ['offline-data'],
      excludedVolumes: ['offline-local'],
    })
  })

  it('that goes on keeps the machine from being stopped and its disks from being changed', async () => {
    await made('held')
    store.create(snapshot('slow', 'held', { failureDeadline: '0s' }, { [faultAnnotation]: 'snapshot-stuck' }))
    await until(store, 'VirtualMachine', 'shop/held', { 'status.snapshotInProgress': 'slow' })
    const denied = 'admission webhook "virtualmachine-validator.kubevirt.io" denied the request: '
    expect(() => change(store, 'VirtualMachine', 'held', { runStrategy: 'Halted' })).toThrow(
      `${denied}Cannot update vm running state until snapshot "slow" completes`,
    )
    const live = store.get('VirtualMachine', 'shop', 'held')
    const template = structuredClone(fieldAt(live, 'spec.template')) as {
      spec: { volumes: object[]; domain: { devices: { disks: object[] } } }
    }
    template.spec.volumes.pop()
    template.spec.domain.devices.disks.pop()
    expect(() => change(store, 'VirtualMachine', 'held', { template })).toThrow(
      `${denied}Cannot update vm disks or volumes until snapshot "slow" completes`,
    )
    store.remove('VirtualMachineSnapshot', 'shop', 'slow')
    await untilGone(store, 'VirtualMachineSnapshot', 'shop/slow')
    await stopped('held')
  })

  it.each([
    ['snapshot-fails', 'In error state'],
    ['snapshot-stuck', 'Source locked and operation in progress'],
  ])('with %s fails at its deadline, and lets the machine go', async (fault, reason) => {
    const name = `late-${fault}`
    await made(name, 'Halted')
    const reasons = record(store, 'VirtualMachineSnapshot', name, 'status.conditions[Progressing].reason')
    store.create(snapshot(name, name, { failureDeadline: '1s' }, { [faultAnnotation]: fault }))
    const failed = await until(store, 'VirtualMachineSnapshot', `shop/${name}`, { 'status.phase': 'Failed' })
    expect(reasons).toEqual([
      'Source not locked',
      expect.any(String),
      ...(fault === 'snapshot-fails' ? [reason] : []),
      'Operation failed',
    ])
    expect(fieldAt(failed, 'status.conditions[Failure].reason')).toBe('snapshot deadline exceeded')
    expect(fieldAt(failed, 'status.error.message')?.toString().slice(0, 15) ?? '').toBe(
      fault === 'snapshot-fails' ? 'VolumeSnapshot ' : '',
    )
    await until(store, 'VirtualMachine', `shop/${name}`, { 'status.snapshotInProgress': undefined })
    const label = 'snapshot.kubevirt.io/source-vm-name'
    const left = () => store.list('VolumeSnapshot', 'shop').filter(({ metadata }) => metadata.labels?.[label] === name)
    await expect.poll(left).toEqual([])
  })

  it('of a machine that is annotated with the fault mends when that is taken away', async () => {
    await made('ill', 'Halted')
    const annotate = (annotations: Record<string, string>) => {
      const live = store.get('VirtualMachine', 'shop', 'ill')
      if (live) store.modify(live, (current) => ({ ...current, metadata: { ...current.metadata, annotations } }))
    }
    annotate({ [faultAnnotation]: 'snapshot-fails' })
    store.create(snapshot('mended', 'ill'))
    await until(store, 'VirtualMachineSnapshot', 'shop/mended', {
      'status.conditions[Progressing].reason': 'In error state',
    })
    annotate({})
    await ready('mended')
  })

  it('that is deleted takes its content with it, unless that is retained', async () => {
    await made('twice', 'Halted')
    store.create(snapshot('gone', 'twice'))
    store.create(snapshot('kept', 'twice', { deletionPolicy: 'Retain' }))
    const names = [await ready('gone'), await ready('kept')].map(({ metadata }) => `vmsnapshot-content-${metadata.uid}`)
    for (const name of ['gone', 'kept']) {
      store.remove('VirtualMachineSnapshot', 'shop', name)
      await untilGone(store, 'VirtualMachineSnapshot', `shop/${name}`)
    }
    const [gone = '', kept = ''] = names
    await untilGone(store, 'VirtualMachineSnapshotContent', `shop/${gone}`)
    expect(store.get('VirtualMachineSnapshotContent', 'shop', kept)).toBeDefined()
  })

  it('is refused without a machine of KubeVirt as its source, and does not change', () => {
    const wrong = (source: object) => () => store.create(snapshot('wrong', 'x', { source }))
    expect(wrong({ kind: 'VirtualMachine', name: 'x' })).toThrow('missing apiGroup')
    expect(wrong({ apiGroup: 'kubevirt.io', kind: 'Pod', name: 'x' })).toThrow('invalid kind')
    store.create(snapshot('fixed', 'nobody'))
    expect(() => change(store, 'VirtualMachineSnapshot', 'fixed', { deletionPolicy: 'Retain' })).toThrow(
      'spec in immutable after creation',
    )
  })
})

describe('a restore', () => {
  it('in place brings the old content back on claims of the same names with new uids, owned by their DataVolumes', async () => {
    await made('back', 'Halted')
    store.create(snapshot('before', 'back'))
    await ready('before')
    store.create(job('patch', { disks: ['back-root', 'back-data'] }))
    await until(store, 'Job', 'shop/patch', { 'status.conditions[Complete].status': 'True' })
    expect([content(store, 'back-root'), content(store, 'back-data')]).toEqual(['rhel9+patch', 'blank+patch'])
    const uid = (name: string) => store.get('PersistentVolumeClaim', 'shop', name)?.metadata.uid
    const uids = [uid('back-root'), uid('back-data')]
    const locks = record(store, 'VirtualMachine', 'back', 'status.restoreInProgress')
    const reasons = record(store, 'VirtualMachineRestore', 'undo', 'status.conditions[Progressing].reason')
    store.create(restore('undo', 'before', 'back'))
    const done = await complete('undo')
    expect([content(store, 'back-root'), content(store, 'back-data')]).toEqual(['rhel9', 'blank'])
    expect(uids).not.toContain(uid('back-root'))
    expect(uids).not.toContain(uid('back-data'))
    expect(locks).toEqual(['undo'])
    expect(reasons).toEqual([
      'Initializing VirtualMachineRestore',
      'Creating new PVCs',
      'Updating target spec',
      'Operation complete',
    ])
    expect(done).toMatchObject({
      status: {
        restoreTime: expect.any(String),
        restores: [
          { volumeName: 'back-root', persistentVolumeClaim: 'back-root', dataVolumeName: 'back-root' },
          { volumeName: 'back-data', persistentVolumeClaim: 'back-data', dataVolumeName: 'back-data' },
        ],
      },
    })
    for (const name of ['back-root', 'back-data'])
      await until(store, 'PersistentVolumeClaim', `shop/${name}`, {
        'status.phase': 'Bound',
        'metadata.ownerReferences.0.kind': 'DataVolume',
      })
    const after = store.get('VirtualMachine', 'shop', 'back')
    expect(fieldAt(after, 'status.restoreInProgress')).toBeUndefined()
    expect(fieldAt(after, 'spec.runStrategy')).toBe('Halted')
    change(store, 'VirtualMachine', 'back', { runStrategy: 'Always' })
    await until(store, 'VirtualMachine', 'shop/back', { 'status.ready': true })
  })

  it('gives the machine the spec that it had, with its volumes by their claims', async () => {
    store.create(dataVolume('by-volume'))
    const disks = [{ name: 'root', ...{ dataVolume: { name: 'by-volume' } } }]
    store.create(machine('volumes', { volumes: disks, spec: { runStrategy: 'Halted' }, mac: '02:00:00:00:07:f1' }))
    await until(store, 'DataVolume', 'shop/by-volume', { 'status.phase': 'Succeeded' })
    store.create(snapshot('small', 'volumes'))
    await ready('small')
    change(store, 'VirtualMachine', 'volumes', { instancetype: { name: 'u1.large' } })
    store.create(restore('shrink', 'small', 'volumes'))
    await complete('shrink')
    expect(store.get('VirtualMachine', 'shop', 'volumes')).toMatchObject({
      spec: {
        instancetype: { name: 'u1.small' },
        template: { spec: { volumes: [{ name: 'root', persistentVolumeClaim: { claimName: 'by-volume' } }] } },
      },
    })
  })

  it('holds the machine to the revision of its instance type, until that is taken away', async () => {
    const revision = () => fieldAt(store.get('VirtualMachine', 'shop', 'volumes'), 'spec.instancetype.revisionName')
    expect(revision()).toBe('volumes-u1.small-v1beta1-1')
    const larger = { instancetype: { name: 'u1.large', revisionName: revision() } }
    expect(() => change(store, 'VirtualMachine', 'volumes', larger)).toThrow(
      'admission webhook "virtualmachines-mutator.kubevirt.io" denied the request: the Matcher Name has been updated without updating the RevisionName',
    )
    change(store, 'VirtualMachine', 'volumes', { instancetype: { name: 'u1.large', revisionName: '' } })
    expect(store.get('VirtualMachine', 'shop', 'volumes')?.['spec']).toMatchObject({
      instancetype: { name: 'u1.large' },
    })
    expect(revision()).toBeUndefined()
  })

  it('by KubeVirt’s defaults makes claims of new names that the machine owns, and its own DataVolumes anew', async () => {
    const spec = { source: { blank: {} }, storage: { resources: { requests: { storage: '1Gi' } } } }
    const dataVolumeTemplates = [{ metadata: { name: 'templated' }, spec }]
    store.create(dataVolume('standalone'))
    store.create(
      machine('defaults', {
        disks: ['standalone'],
        volumes: [{ name: 'own', ...{ dataVolume: { name: 'templated' } } }],
        spec: { dataVolumeTemplates, runStrategy: 'Halted' },
        mac: '02:00:00:00:07:f2',
      }),
    )
    for (const name of ['standalone', 'templated'])
      await until(store, 'DataVolume', `shop/${name}`, { 'status.phase': 'Succeeded' })
    store.create(snapshot('usual', 'defaults'))
    await ready('usual')
    const { metadata } = store.create(
      restore('random', 'usual', 'defaults', { volumeRestorePolicy: undefined, volumeOwnershipPolicy: undefined }),
    )
    await complete('random')
    const named = (volume: string) => `restore-${metadata.uid}-${volume}`
    expect(store.get('VirtualMachine', 'shop', 'defaults')).toMatchObject({
      spec: {
        dataVolumeTemplates: [{ metadata: { name: named('own') } }],
        template: {
          spec: {
            volumes: [
              { persistentVolumeClaim: { claimName: named('standalone') } },
              { dataVolume: { name: named('own') } },
            ],
          },
        },
      },
    })
    expect(store.get('PersistentVolumeClaim', 'shop', named('standalone'))?.metadata.ownerReferences).toMatchObject([
      { kind: 'VirtualMachine' },
    ])
    await until(store, 'DataVolume', `shop/${named('own')}`, { 'status.phase': 'Succeeded' })
    await untilGone(store, 'PersistentVolumeClaim', 'shop/templated')
    expect(store.get('PersistentVolumeClaim', 'shop', 'standalone')).toBeDefined()
  })

  it('into a machine that is not there makes it, halted, with the patches that it was given', async () => {
    await made('original', 'Halted')
    store.create(snapshot('seed', 'original'))
    await ready('seed')
    const patches = [
      '{"op": "replace", "path": "/spec/template/spec/domain/devices/interfaces/0/macAddress", "value": "02:00:00:00:07:f3"}',
    ]
    store.create(restore('copy', 'seed', 'second', { volumeRestorePolicy: 'PrefixTargetName', patches }))
    await complete('copy')
    expect(store.get('VirtualMachine', 'shop', 'second')).toMatchObject({ spec: { runStrategy: 'Halted' } })
    expect(content(store, 'second-original-root')).toBe('rhel9')
  })

  it.each([
    ['FailImmediate', 'Failure', 'Restore target VMI must be powered off before restore operation'],
    [
      'WaitEventually',
      'Progressing',
      'Waiting for target VM to be powered off. Please stop the restore target to proceed with restore',
    ],
  ])('of a machine that runs says so, by %s', async (targetReadinessPolicy, type, reason) => {
    const name = `running-${targetReadinessPolicy.toLowerCase()}`
    await made(name)
    store.create(snapshot(name, name))
    await ready(name)
    store.create(restore(name, name, name, { targetReadinessPolicy }))
    await until(store, 'VirtualMachineRestore', `shop/${name}`, { [`status.conditions[${type}].reason`]: reason })
    if (type === 'Failure') return
    await stopped(name)
    await complete(name)
  })

  it('stops its target where it is to', async () => {
    await made('stoppable')
    store.create(snapshot('stoppable', 'stoppable'))
    await ready('stoppable')
    store.create(restore('stoppable', 'stoppable', 'stoppable', { targetReadinessPolicy: 'StopTarget' }))
    await complete('stoppable')
    expect(fieldAt(store.get('VirtualMachine', 'shop', 'stoppable'), 'spec.runStrategy')).toBe('Halted')
  })

  it('with restore-fails has deleted the claims and says what it misses, and keeps the machine from starting', async () => {
    await made('lost', 'Halted')
    store.create(snapshot('lost', 'lost'))
    await ready('lost')
    const { metadata } = store.create(restore('lost', 'lost', 'lost', {}, { [faultAnnotation]: 'restore-fails' }))
    const failing = await until(store, 'VirtualMachineRestore', 'shop/lost', {
      'status.conditions[Progressing].status': 'False',
    })
    expect(fieldAt(failing, 'status.conditions[Progressing].reason')).toMatch(/^missing volumeSnapshot vmsnapshot-/)
    await untilGone(store, 'PersistentVolumeClaim', 'shop/lost-root')
    expect(() => change(store, 'VirtualMachine', 'lost', { runStrategy: 'Always' })).toThrow(
      'Cannot update VM runStrategy until restore "lost" completes',
    )
    const faulty = store.get('VirtualMachineRestore', 'shop', metadata.name)
    if (faulty) store.modify(faulty, (current) => ({ ...current, metadata: { ...current.metadata, annotations: {} } }))
    await complete('lost')
  })

  it('with restore-stuck has not begun, holds nothing, and goes on when it is mended', async () => {
    for (const name of ['slow-back', 'quick-back']) {
      await made(name, 'Halted')
      store.create(snapshot(name, name))
      await ready(name)
    }
    const { metadata } = store.create(
      restore('held', 'slow-back', 'slow-back', {}, { [faultAnnotation]: 'restore-stuck' }),
    )
    store.create(restore('passing', 'quick-back', 'quick-back'))
    await complete('passing')
    expect(store.get('VirtualMachineRestore', 'shop', 'held')).toMatchObject({ status: { complete: false } })
    expect(fieldAt(store.get('VirtualMachine', 'shop', 'slow-back'), 'status.restoreInProgress')).toBeUndefined()
    const stuck = store.get('VirtualMachineRestore', 'shop', metadata.name)
    if (stuck) store.modify(stuck, (current) => ({ ...current, metadata: { ...current.metadata, annotations: {} } }))
    await complete('held')
  })

  it('of a snapshot that is not there says so, and goes on when there is one', async () => {
    await made('early', 'Halted')
    store.create(restore('early', 'late', 'early'))
    await until(store, 'VirtualMachineRestore', 'shop/early', {
      'status.conditions[Ready].reason': 'VMSnapshot shop/late does not exist',
    })
    expect(() => store.create(restore('second', 'late', 'early'))).toThrow('VirtualMachineRestore "early" in progress')
    store.create(snapshot('late', 'early'))
    await complete('early')
  })
})
