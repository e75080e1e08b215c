import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ApiError } from '../../../local/clusters/api-error.ts'
import type { NewObject } from '../../../local/clusters/object.ts'
import { fieldAt } from '../../../local/clusters/selector.ts'
import type { Store } from '../../../local/clusters/store.ts'
import { change, dataVolume, golden, machine, namespace, record, startFleet, until, untilGone } from './harness.ts'

let fleet: Awaited<ReturnType<typeof startFleet>>
let store: Store

beforeAll(async () => {
  fleet = await startFleet({ seed: { 'site-a': [namespace('shop')] } })
  store = fleet.clusters.store('site-a')
  await until(store, 'DataSource', 'openshift-virtualization-os-images/rhel9', {
    'status.conditions[Ready].status': 'True',
  })
})
afterAll(() => fleet.end())

const running = (name: string) =>
  until(store, 'VirtualMachine', `shop/${name}`, { 'status.printableStatus': 'Running', 'status.ready': true })
const instance = (name: string) => store.get('VirtualMachineInstance', 'shop', name)
const pods = () => store.list('Pod', 'shop').map(({ metadata }) => metadata.labels?.['vm.kubevirt.io/name'])
interface MachineSpec {
  template: { spec: { volumes: { name: string }[]; domain: { devices: { disks: { name: string }[] } } } }
}
/** The template with one more disk. */
function withDisk(template: MachineSpec['template'], name: string) {
  const { spec } = structuredClone(template)
  spec.volumes.push({ name, ...{ persistentVolumeClaim: { claimName: name } } })
  spec.domain.devices.disks.push({ name })
  return { ...template, spec }
}
let macs = 0
const mac = () => {
  macs += 1
  return `02:00:00:00:01:${macs.toString(16).padStart(2, '0')}`
}

describe('a DataVolume', () => {
  it.each<[string, object, string[]]>([
    [
      'import',
      { source: { http: { url: 'https://images.example.org/a.qcow2' } } },
      ['Pending', 'ImportScheduled', 'ImportInProgress', 'Succeeded'],
    ],
    ['blank', {}, ['Pending', 'ImportScheduled', 'ImportInProgress', 'Succeeded']],
    ['clone', golden, ['Pending', 'CloneScheduled', 'CloneInProgress', 'Succeeded']],
    ['upload', { source: { upload: {} } }, ['Pending', 'UploadScheduled', 'UploadReady']],
    [
      'late',
      { storage: { storageClassName: 'local', resources: { requests: { storage: '1Gi' } } } },
      ['Pending', 'PendingPopulation'],
    ],
  ])('by %s goes through its phases in order', async (name, spec, phases) => {
    const seen = record(store, 'DataVolume', name, 'status.phase')
    store.create(dataVolume(name, spec))
    await until(store, 'DataVolume', `shop/${name}`, { 'status.phase': phases.at(-1) })
    expect(seen).toEqual(phases)
  })

  it('that succeeded owns a bound claim of its name and size, and says so in its conditions', async () => {
    store.create(dataVolume('sized'))
    const volume = await until(store, 'DataVolume', 'shop/sized', {
      'status.phase': 'Succeeded',
      'status.progress': '100.0%',
      'status.conditions[Ready].status': 'True',
      'status.conditions[Bound].status': 'True',
      'status.conditions[Running].status': 'False',
    })
    const claim = store.get('PersistentVolumeClaim', 'shop', 'sized')
    expect(claim).toMatchObject({
      status: { phase: 'Bound', capacity: { storage: '10Gi' } },
      metadata: { ownerReferences: [{ kind: 'DataVolume', uid: volume.metadata.uid, controller: true }] },
    })
  })

  it('of a DataSource that is missing stays Pending and says so, until the DataSource comes', async () => {
    store.create(
      dataVolume('early', { source: undefined, sourceRef: { kind: 'DataSource', namespace: 'shop', name: 'later' } }),
    )
    await until(store, 'DataVolume', 'shop/early', {
      'status.phase': 'Pending',
      'status.conditions[Bound].message': 'DataSource shop/later not found',
    })
    store.create({
      apiVersion: 'cdi.kubevirt.io/v1beta1',
      kind: 'DataSource',
      metadata: { name: 'later', namespace: 'shop' },
      spec: { source: { pvc: { namespace: 'shop', name: 'sized' } } },
    })
    await until(store, 'DataVolume', 'shop/early', { 'status.phase': 'Succeeded' })
  })

  it('over a claim that is there is refused', () => {
    store.create({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'claimed', namespace: 'shop' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    })
    expect(() => store.create(dataVolume('claimed'))).toThrow(
      'admission webhook "datavolume-validate.cdi.kubevirt.io" denied the request: Destination PVC shop/claimed already exists',
    )
  })
})

describe('admission refuses a machine', () => {
  const base = () => machine('bad', { mac: mac() })
  const withDevices = (devices: object): NewObject => ({
    ...base(),
    spec: { runStrategy: 'Always', template: { spec: { domain: { memory: { guest: '1Gi' }, devices } } } },
  })
  it.each<[string, () => NewObject, string]>([
    [
      'whose disk has no volume',
      () => withDevices({ disks: [{ name: 'a' }] }),
      "spec.template.spec.domain.devices.disks[0].Name 'a' not found.",
    ],
    [
      'whose interface has no network',
      () => withDevices({ interfaces: [{ name: 'lan' }] }),
      "spec.template.spec.domain.devices.interfaces[0].name 'lan' not found.",
    ],
    [
      'of an unknown instancetype',
      () => machine('bad', { spec: { instancetype: { name: 'none' } }, mac: mac() }),
      'Failure to find instancetype: virtualmachineclusterinstancetypes.instancetype.kubevirt.io "none" not found',
    ],
    [
      'of an unknown preference',
      () => machine('bad', { spec: { preference: { name: 'none' } }, mac: mac() }),
      'Failure to find preference: virtualmachineclusterpreferences.instancetype.kubevirt.io "none" not found',
    ],
    [
      'with both kinds of power',
      () => machine('bad', { spec: { running: true }, mac: mac() }),
      'Running and RunStrategy are mutually exclusive.',
    ],
    [
      'with an unknown runStrategy',
      () => machine('bad', { spec: { runStrategy: 'Sometimes' }, mac: mac() }),
      'Invalid RunStrategy (Sometimes)',
    ],
    ['without a template', () => ({ ...base(), spec: { runStrategy: 'Always' } }), 'missing virtual machine template.'],
    ['without memory', () => machine('bad', { spec: { instancetype: undefined }, mac: mac() }), 'no memory requested'],
    [
      'with a DataVolume that no volume uses',
      () => machine('bad', { spec: { dataVolumeTemplates: [{ metadata: { name: 'x' }, spec: {} }] }, mac: mac() }),
      "must be referenced in the VMI template's 'volumes' list",
    ],
  ])('%s', (_what, made, message) => {
    expect(() => store.create(made())).toThrow(ApiError)
    expect(() => store.create(made())).toThrow(message)
  })

  it('whose MAC address another one has', () => {
    const address = mac()
    store.create(machine('first', { spec: { runStrategy: 'Halted' }, mac: address }))
    expect(() => store.create(machine('second', { mac: address.toUpperCase() }))).toThrow(
      `failed to allocate requested mac address ${address}`,
    )
    expect(store.create(machine('other', { spec: { runStrategy: 'Halted' }, mac: mac() }))).toBeDefined()
  })

  it('but fills in firmware, machine type and architecture of a good one', () => {
    const spec = fieldAt(
      store.create(machine('filled', { spec: { runStrategy: 'Halted' }, mac: mac() })),
      'spec.template.spec',
    )
    const id = expect.stringMatching(/^[0-9a-f-]{36}$/)
    expect(spec).toMatchObject({
      architecture: 'amd64',
      domain: { firmware: { uuid: id, serial: id }, machine: { type: 'q35' } },
    })
  })
})

describe('a machine', () => {
  it('over a disk that is cloned goes through the states of a real one in their order', async () => {
    const states = record(store, 'VirtualMachine', 'ordered', 'status.printableStatus')
    const phases = record(store, 'VirtualMachineInstance', 'ordered', 'status.phase')
    store.create(dataVolume('ordered-root', golden))
    store.create(machine('ordered', { disks: ['ordered-root'], mac: mac() }))
    await running('ordered')
    // The instance is there at once, so its errors are only those of a disk that is being made.
    expect(states[0]).toBe('Stopped')
    expect(states).toEqual(expect.arrayContaining(['DataVolumeError', 'ErrorUnschedulable']))
    expect(states.slice(-2)).toEqual(['Starting', 'Running'])
    expect(phases).toEqual(['Pending', 'Scheduling', 'Scheduled', 'Running'])
    await until(store, 'VirtualMachineInstance', 'shop/ordered', { 'status.conditions[AgentConnected].status': 'True' })
    expect(store.get('VirtualMachine', 'shop', 'ordered')).toMatchObject({
      status: { created: true, ready: true, observedGeneration: 1, desiredGeneration: 1 },
    })
  })

  it('that is halted stops: no instance and no pod is left, and its disks stay', async () => {
    const states = record(store, 'VirtualMachine', 'ordered', 'status.printableStatus')
    const live = store.get('VirtualMachine', 'shop', 'ordered')
    const spec = (runStrategy: string) =>
      live && store.modify(live, (current) => ({ ...current, spec: { ...(current['spec'] as object), runStrategy } }))
    spec('Halted')
    await until(store, 'VirtualMachine', 'shop/ordered', {
      'status.printableStatus': 'Stopped',
      'status.observedGeneration': 2,
    })
    expect(states).toEqual(['Running', 'Stopping', 'Stopped'])
    // It says Stopped when its guest has shut down: its instance and its pod are there a moment longer.
    expect(instance('ordered')).toMatchObject({ status: { phase: 'Succeeded' } })
    await untilGone(store, 'VirtualMachineInstance', 'shop/ordered')
    expect(pods()).not.toContain('ordered')
    expect(store.get('PersistentVolumeClaim', 'shop', 'ordered-root')).toBeDefined()
    states.length = 0
    spec('Always')
    await running('ordered')
    expect(states).toEqual(['Stopped', 'Starting', 'Running'])
  })

  it('that is halted before it ever had a guest says nothing of generations and strategies', async () => {
    store.create(machine('never', { disks: ['never-root'], mac: mac(), spec: { runStrategy: 'Halted' } }))
    await until(store, 'VirtualMachine', 'shop/never', { 'status.printableStatus': 'Stopped' })
    const { status } = store.get('VirtualMachine', 'shop', 'never') as { status?: object }
    expect(status).not.toHaveProperty('observedGeneration')
    expect(status).not.toHaveProperty('runStrategy')
  })

  it.each<[string, (spec: MachineSpec) => object]>([
    ['its size', () => ({ instancetype: { name: 'u1.large' } })],
    ['its volumes', ({ template }) => ({ template: withDisk(template, 'cloned-root') })],
  ])('that has %s changed while it runs asks for a restart, until that is undone', async (_what, changed) => {
    const before = store.get('VirtualMachine', 'shop', 'ordered')?.['spec'] as MachineSpec
    change(store, 'VirtualMachine', 'ordered', changed(before))
    await until(store, 'VirtualMachine', 'shop/ordered', {
      'status.conditions[RestartRequired].status': 'True',
      'status.conditions[RestartRequired].message': 'a non-live-updatable field was changed in the template spec',
    })
    change(store, 'VirtualMachine', 'ordered', before)
    await until(store, 'VirtualMachine', 'shop/ordered', { 'status.conditions[RestartRequired]': undefined })
  })

  it('that has its template annotated while it runs has a guest of the generation before, until that is undone', async () => {
    const before = store.get('VirtualMachine', 'shop', 'ordered') as unknown as {
      metadata: { generation: number }
      spec: MachineSpec
    }
    const { generation } = before.metadata
    const { template } = before.spec
    change(store, 'VirtualMachine', 'ordered', {
      template: { ...template, metadata: { annotations: { note: 'by hand' } } },
    })
    await until(store, 'VirtualMachine', 'shop/ordered', {
      'status.observedGeneration': generation,
      'status.desiredGeneration': generation + 1,
    })
    change(store, 'VirtualMachine', 'ordered', { template })
    await until(store, 'VirtualMachine', 'shop/ordered', { 'status.observedGeneration': generation + 2 })
  })

  it('that is deleted goes with its instance and its own disks, and leaves the others', async () => {
    const dataVolumeTemplates = [
      {
        metadata: { name: 'own' },
        spec: { source: { blank: {} }, storage: { resources: { requests: { storage: '1Gi' } } } },
      },
    ]
    store.create(dataVolume('theirs'))
    store.create(
      machine('doomed', {
        disks: ['theirs'],
        volumes: [{ name: 'own', ...{ dataVolume: { name: 'own' } } }],
        spec: { dataVolumeTemplates },
        mac: mac(),
      }),
    )
    await running('doomed')
    const states = record(store, 'VirtualMachine', 'doomed', 'status.printableStatus')
    store.remove('VirtualMachine', 'shop', 'doomed')
    await untilGone(store, 'VirtualMachine', 'shop/doomed')
    expect(states).toContain('Terminating')
    await untilGone(store, 'PersistentVolumeClaim', 'shop/own')
    expect([instance('doomed'), store.get('PersistentVolumeClaim', 'shop', 'theirs')]).toEqual([
      undefined,
      expect.anything(),
    ])
  })

  it('waits for a claim that is missing', async () => {
    store.create(machine('claimless', { disks: ['absent'], mac: mac() }))
    await until(store, 'VirtualMachine', 'shop/claimless', { 'status.printableStatus': 'ErrorPvcNotFound' })
    store.create(dataVolume('absent'))
    await running('claimless')
  })

  it('starts so that a disk which waits for its first consumer is filled', async () => {
    const states = record(store, 'VirtualMachine', 'consumer', 'status.printableStatus')
    store.create(machine('consumer', { disks: ['late'], mac: mac() }))
    await running('consumer')
    expect(states).toEqual(['Stopped', 'WaitingForVolumeBinding', 'Provisioning', 'Starting', 'Running'])
    expect(store.get('DataVolume', 'shop', 'late')).toMatchObject({ status: { phase: 'Succeeded' } })
  })

  it('waits for its Secret, and the pod says which', async () => {
    const init = { name: 'init', ...{ cloudInitNoCloud: { secretRef: { name: 'user-data' } } } }
    store.create(machine('secretless', { volumes: [init], mac: mac() }))
    await until(store, 'VirtualMachine', 'shop/secretless', { 'status.printableStatus': 'Starting' })
    const event = () => store.list('Event', 'shop').find(({ reason }) => reason === 'FailedMount')
    await expect.poll(event).toMatchObject({
      type: 'Warning',
      message: 'MountVolume.SetUp failed for volume "init-udata" : secret "user-data" not found',
    })
    store.create({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'user-data', namespace: 'shop' },
      stringData: { userdata: '#cloud-config' },
    })
    await running('secretless')
    expect(store.get('Secret', 'shop', 'user-data')).toMatchObject({
      data: { userdata: Buffer.from('#cloud-config').toString('base64') },
    })
  })
})

describe('a guest', () => {
  const network = (address: string, wrap: (text: string) => string = (text) => text) =>
    wrap(
      `{"version": 2, "ethernets": {"nic0": {"match": {"macaddress": "02:00:00:AA:00:01"}, "addresses": ["${address}/24", "fd00::5/64"]}}}`,
    )
  it.each<[string, string, object]>([
    ['plain', '10.9.0.5', { networkData: network('10.9.0.5') }],
    [
      'wrapped',
      '10.9.0.6',
      { networkDataBase64: Buffer.from(network('10.9.0.6', (text) => `network: ${text}`)).toString('base64') },
    ],
    ['by Secret', '10.9.0.7', { networkDataSecretRef: { name: 'network' } }],
  ])('has the addresses that its network data (%s) gives to its MAC', async (_what, ipAddress, cloudInit) => {
    store.create({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'network', namespace: 'shop' },
      stringData: { networkdata: network('10.9.0.7') },
    })
    store.create(
      machine('netted', {
        volumes: [{ name: 'init', ...{ cloudInitNoCloud: { userData: '', ...cloudInit } } }],
        mac: '02:00:00:aa:00:01',
      }),
    )
    await until(store, 'VirtualMachineInstance', 'shop/netted', { 'status.conditions[AgentConnected].status': 'True' })
    expect(fieldAt(instance('netted'), 'status.interfaces')).toEqual([
      expect.objectContaining({
        name: 'lan',
        mac: '02:00:00:aa:00:01',
        ipAddress,
        ipAddresses: [ipAddress, 'fd00::5'],
        infoSource: 'domain, guest-agent',
      }),
    ])
    store.remove('VirtualMachine', 'shop', 'netted')
    store.remove('Secret', 'shop', 'network')
    await untilGone(store, 'VirtualMachine', 'shop/netted')
  })
})

it('a Windows guest has the address that its answer file gives to its MAC', async () => {
  const command = `$nic = Get-NetAdapter | Where-Object MacAddress -eq ('02:00:00:AA:00:09'.Replace(':', '-')); $nic | New-NetIPAddress -IPAddress 10.9.0.8 -PrefixLength 24`
  const stringData = { 'unattend.xml': `<unattend><CommandLine>${command}</CommandLine></unattend>` }
  store.create({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'answers', namespace: 'shop' }, stringData })
  const sysprep = { name: 'sysprep', ...{ sysprep: { secret: { name: 'answers' } } } }
  store.create(machine('windows', { volumes: [sysprep], mac: '02:00:00:aa:00:09' }))
  const guest = { 'status.conditions[AgentConnected].status': 'True', 'status.interfaces.0.ipAddress': '10.9.0.8' }
  await until(store, 'VirtualMachineInstance', 'shop/windows', guest)
})

it('a claim that a machine uses outlives its deletion until the machine is gone', async () => {
  store.create(dataVolume('held'))
  store.create(machine('holder', { disks: ['held'], mac: mac() }))
  await running('holder')
  store.remove('DataVolume', 'shop', 'held')
  await untilGone(store, 'DataVolume', 'shop/held')
  await expect.poll(() => store.get('PersistentVolumeClaim', 'shop', 'held')?.metadata.deletionTimestamp).toBeDefined()
  store.remove('VirtualMachine', 'shop', 'holder')
  await untilGone(store, 'PersistentVolumeClaim', 'shop/held')
})

it('fifty machines at once are ready soon, none lost', async () => {
  const began = process.cpuUsage()
  for (let n = 0; n < 50; n += 1) {
    store.create(dataVolume(`many-${n}`, golden))
    store.create(
      machine(`many-${n}`, { disks: [`many-${n}`], mac: `02:00:00:00:50:${n.toString(16).padStart(2, '0')}` }),
    )
  }
  await Promise.all(Array.from({ length: 50 }, (_, n) => running(`many-${n}`)))
  expect(process.cpuUsage(began).user / 1e6).toBeLessThan(5)
})
