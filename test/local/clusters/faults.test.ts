import { readFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type FaultName, faultAnnotation, faultNames } from '../../../local/clusters/faults.ts'
import type { KubeObject } from '../../../local/clusters/object.ts'
import { fieldAt } from '../../../local/clusters/selector.ts'
import type { Store } from '../../../local/clusters/store.ts'
import {
  application,
  change,
  configMap,
  dataVolume,
  forClient,
  golden,
  machine,
  namespace,
  objectApi,
  refresh,
  startFleet,
  synced,
  until,
  untilGone,
  url,
} from './harness.ts'

let fleet: Awaited<ReturnType<typeof startFleet>>
let hub: Store
let site: Store

beforeAll(async () => {
  fleet = await startFleet({ seed: { 'site-a': [namespace('shop')] } })
  hub = fleet.clusters.store('hub')
  site = fleet.clusters.store('site-a')
})
afterEach(() => fleet.clusters.faults.clear())
afterAll(() => fleet.end())

let macs = 0
/** A machine with a fault, written on it or as a rule. */
function faulty(name: string, fault: FaultName, how: 'annotation' | 'rule', more = {}): KubeObject {
  macs += 1
  if (how === 'rule')
    fleet.clusters.faults.add({ fault, cluster: 'site-a', kind: 'VirtualMachine', namespace: 'shop', name })
  const annotations: Record<string, string> = how === 'annotation' ? { [faultAnnotation]: fault } : {}
  return site.create(
    machine(name, { annotations, mac: `02:00:00:00:03:${macs.toString(16).padStart(2, '0')}`, ...more }),
  )
}
const status = (name: string, printableStatus: string) =>
  until(site, 'VirtualMachine', `shop/${name}`, { 'status.printableStatus': printableStatus })
const unfault = (store: Store, object: KubeObject) =>
  store.modify(object, (current) => ({ ...current, metadata: { ...current.metadata, annotations: {} } }))

describe.each(['annotation', 'rule'] as const)('by %s', (how) => {
  it('unschedulable makes a machine ErrorUnschedulable in the words of the scheduler, until it is taken away', async () => {
    const vm = faulty(`tight-${how}`, 'unschedulable', how)
    await status(vm.metadata.name, 'ErrorUnschedulable')
    const instance = site.get('VirtualMachineInstance', 'shop', vm.metadata.name)
    expect(fieldAt(instance, 'status.conditions[PodScheduled].message')).toMatch(
      /^0\/3 nodes are available: 3 Insufficient memory\./,
    )
    if (how === 'rule') fleet.clusters.faults.clear()
    else unfault(site, vm)
    await status(vm.metadata.name, 'Running')
  })

  it('crash-loop makes a machine CrashLoopBackOff', async () => {
    const vm = faulty(`crash-${how}`, 'crash-loop', how)
    await status(vm.metadata.name, 'CrashLoopBackOff')
    await untilGone(site, 'VirtualMachineInstance', `shop/${vm.metadata.name}`)
    expect(site.get('VirtualMachine', 'shop', vm.metadata.name)).toMatchObject({
      status: { printableStatus: 'CrashLoopBackOff', startFailure: { consecutiveFailCount: 1 } },
    })
  })

  it('no-agent lets a machine run without an agent', async () => {
    const vm = faulty(`mute-${how}`, 'no-agent', how)
    await status(vm.metadata.name, 'Running')
    const other = site.create(machine(`heard-${how}`, { mac: `02:00:00:00:03:f${how === 'rule' ? 0 : 1}` }))
    await until(site, 'VirtualMachineInstance', `shop/${other.metadata.name}`, {
      'status.conditions[AgentConnected].status': 'True',
    })
    expect(
      fieldAt(site.get('VirtualMachineInstance', 'shop', vm.metadata.name), 'status.conditions[AgentConnected]'),
    ).toBeUndefined()
  })

  it('stuck-stopping keeps a machine Stopping until it is taken away', async () => {
    const vm = faulty(`stuck-${how}`, 'stuck-stopping', how)
    await status(vm.metadata.name, 'Running')
    change(site, 'VirtualMachine', vm.metadata.name, { runStrategy: 'Halted' })
    await status(vm.metadata.name, 'Stopping')
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(site.get('VirtualMachineInstance', 'shop', vm.metadata.name)).toMatchObject({ status: { phase: 'Running' } })
    if (how === 'rule') fleet.clusters.faults.clear()
    else unfault(site, vm)
    await untilGone(site, 'VirtualMachineInstance', `shop/${vm.metadata.name}`)
    await status(vm.metadata.name, 'Stopped')
  })

  it('wrong-address gives a machine another address than its network data', async () => {
    const mac = how === 'rule' ? '02:00:00:00:04:04' : '02:00:00:00:04:05'
    const networkData = `ethernets: {a: {match: {macaddress: "${mac}"}, addresses: [10.9.0.9/24]}}`
    const volumes = [{ name: 'init', ...{ cloudInitNoCloud: { userData: '', networkData } } }]
    const vm = faulty(`wrong-${how}`, 'wrong-address', how, { mac, volumes })
    const instance = await until(site, 'VirtualMachineInstance', `shop/${vm.metadata.name}`, {
      'status.conditions[AgentConnected].status': 'True',
    })
    expect(fieldAt(instance, 'status.interfaces.0.ipAddress')).toMatch(/^10\.244\./)
  })

  it('import-fails lets a DataVolume try and try, with a message, and its machine says DataVolumeError', async () => {
    const name = `broken-${how}`
    if (how === 'rule') fleet.clusters.faults.add({ fault: 'import-fails', kind: 'DataVolume', name })
    site.create(
      dataVolume(
        name,
        { source: { http: { url: 'https://images.example.org/a.qcow2' } } },
        how === 'annotation' ? { [faultAnnotation]: 'import-fails' } : {},
      ),
    )
    const error = { 'status.phase': 'ImportScheduled', 'status.conditions[Running].reason': 'Error' }
    const volume = await until(site, 'DataVolume', `shop/${name}`, error)
    expect(fieldAt(volume, 'status.conditions[Running].message')).toContain(
      'Unable to connect to data source https://images.example.org/a.qcow2: expected status code 200, got 404',
    )
    faulty(name, 'no-agent', 'annotation', { disks: [name] })
    await status(name, 'DataVolumeError')
  })

  it('never-deleted keeps an object for ever', async () => {
    const name = `stays-${how}`
    if (how === 'rule') fleet.clusters.faults.add({ fault: 'never-deleted', kind: 'ConfigMap', name })
    site.create(configMap(name, how === 'annotation' ? { annotations: { [faultAnnotation]: 'never-deleted' } } : {}))
    site.remove('ConfigMap', 'shop', name)
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
    expect(site.get('ConfigMap', 'shop', name)?.metadata.finalizers).toEqual(['local.drover.dev/never-deleted'])
    if (how === 'rule') fleet.clusters.faults.clear()
    if (how === 'rule') await untilGone(site, 'ConfigMap', `shop/${name}`)
  })

  it('api-500 answers 500 as often as wanted, to requests for this object alone', async () => {
    const name = `flaky-${how}`
    site.create(configMap(name, how === 'annotation' ? { annotations: { [faultAnnotation]: 'api-500=2' } } : {}))
    site.create(configMap(`${name}-not`))
    if (how === 'rule') fleet.clusters.faults.add({ fault: 'api-500', kind: 'ConfigMap', name, times: 2 })
    const read = async (which: string) => {
      try {
        await objectApi(fleet.clusters, 'site-a').read({
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: which, namespace: 'shop' },
        })
        return 200
      } catch (error) {
        return fieldAt(error, 'code')
      }
    }
    expect([await read(`${name}-not`), await read(name), await read(name), await read(name)]).toEqual([
      200, 500, 500, 200,
    ])
  })
})

it('import-fails leaves clones alone, which CDI never gives up', async () => {
  site.create(dataVolume('whole-clone', golden, { [faultAnnotation]: 'import-fails' }))
  await until(site, 'DataVolume', 'shop/whole-clone', { 'status.phase': 'Succeeded' })
})

describe('an Application with', () => {
  it('sync-stuck stays behind until the fault is taken away', async () => {
    const first = fleet.commit({ 'apps/stuck/a.yaml': configMap('stuck-a') })
    hub.create(application('stuck'))
    await synced(hub, 'stuck', first)
    const unstick = fleet.clusters.faults.add({ fault: 'sync-stuck', kind: 'Application', name: 'stuck' })
    const second = fleet.commit({ 'apps/stuck/b.yaml': configMap('stuck-b') })
    refresh(hub, 'stuck')
    hub.create(application('behind-it', { source: { repoURL: url, path: 'apps/stuck', targetRevision: 'main' } }))
    await until(hub, 'Application', 'argocd/behind-it', { 'status.sync.revision': second })
    expect(fieldAt(hub.get('Application', 'argocd', 'stuck'), 'status.sync.revision')).toBe(first)
    unstick()
    await synced(hub, 'stuck', second)
  })

  it('sync-error fails its sync with a message', async () => {
    fleet.commit({ 'apps/failing/a.yaml': configMap('failing-a') })
    hub.create(application('failing', {}, { annotations: { [faultAnnotation]: 'sync-error' } }))
    const app = await until(hub, 'Application', 'argocd/failing', { 'status.operationState.phase': 'Failed' })
    expect(fieldAt(app, 'status.operationState.message')).toBe(
      'one or more objects failed to apply, reason: the sync was made to fail (retried 5 times).',
    )
  })
})

describe('a Placement with', () => {
  const placement = (name: string, fault: string) =>
    hub.create({
      apiVersion: 'cluster.open-cluster-management.io/v1beta1',
      kind: 'Placement',
      metadata: { name, namespace: 'argocd', annotations: { [faultAnnotation]: fault } },
      spec: {},
    })

  it('decision-empty has an empty decision', async () => {
    placement('empty', 'decision-empty')
    await until(hub, 'Placement', 'argocd/empty', { 'status.conditions[PlacementSatisfied].status': 'False' })
    expect(hub.get('PlacementDecision', 'argocd', 'empty-decision-1')).toMatchObject({ status: { decisions: [] } })
  })

  it('decision-never has no decision', async () => {
    placement('never', 'decision-never')
    placement('after', '')
    await until(hub, 'Placement', 'argocd/after', { 'status.conditions[PlacementSatisfied].status': 'True' })
    expect(hub.get('PlacementDecision', 'argocd', 'never-decision-1')).toBeUndefined()
  })
})

it('an object that is created through the API can be faulty from the start', async () => {
  fleet.clusters.faults.add({ fault: 'api-500', kind: 'ConfigMap', name: 'unborn', times: 1 })
  const api = objectApi(fleet.clusters, 'site-a')
  await api.create(forClient(configMap('unborn')))
  await expect(
    api.read({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'unborn', namespace: 'shop' } }),
  ).rejects.toMatchObject({ code: 500 })
})

it.each<[FaultName, string]>([
  ['unschedulable', 'ErrorUnschedulable'],
  ['crash-loop', 'CrashLoopBackOff'],
  ['import-fails', 'DataVolumeError'],
])('a machine with %s goes with its Application, and so does its disk', async (fault, state) => {
  const name = `undone-${fault}`
  const faulted = { [faultAnnotation]: fault }
  const revision = fleet.commit({
    [`apps/${name}/disk.yaml`]: dataVolume(name, {}, faulted),
    [`apps/${name}/vm.yaml`]: machine(name, {
      disks: [name],
      annotations: faulted,
      mac: `02:00:00:00:05:${fault.length.toString(16).padStart(2, '0')}`,
    }),
  })
  hub.create(application(name))
  await synced(hub, name, revision)
  await status(name, state)
  hub.remove('Application', 'argocd', name)
  await untilGone(hub, 'Application', `argocd/${name}`)
  for (const kind of ['VirtualMachine', 'VirtualMachineInstance', 'DataVolume', 'PersistentVolumeClaim'])
    await untilGone(site, kind, `shop/${name}`)
})

it('the page on one machine names every fault', () => {
  const page = readFileSync(new URL('../../../docs/local.md', import.meta.url), 'utf8')
  const named = [...page.matchAll(/^\| `([a-z0-9-]+)` /gm)].map(([, name]) => name)
  expect(named.sort()).toEqual([...faultNames].sort())
})
