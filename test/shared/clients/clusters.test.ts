import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Access, openAccess } from '../../../shared/clients/access.ts'
import { openClusters } from '../../../shared/clients/clusters.ts'
import { openWaker } from '../../../shared/clients/refresh.ts'
import { type MachineView, refreshAnnotation } from '../../../shared/machines.ts'
import { dataVolume, forClient, namespace, objectApi, startFleet, url } from '../../local/clusters/harness.ts'

let fleet: Awaited<ReturnType<typeof startFleet>>
let clients: ReturnType<typeof openClusters>

beforeAll(async () => {
  const older = { name: 'site-older', kubevirt: '1.6' }
  fleet = await startFleet({ clusters: ['site-a', older], seed: { 'site-a': [namespace('shop')] } })
  const kubeconfig = join(fleet.folder, 'kubeconfig')
  writeFileSync(kubeconfig, JSON.stringify(fleet.clusters.kubeconfig))
  clients = openClusters({ kubeconfig, hubContext: 'hub', argocdNamespace: 'argocd' })
})
afterAll(() => fleet.end())

const placement = (name: string) => ({
  apiVersion: 'cluster.open-cluster-management.io/v1beta1',
  kind: 'Placement',
  metadata: { name, namespace: 'argocd' },
  spec: { clusterSets: ['global'], numberOfClusters: 1 },
})
const application = (name: string) => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  metadata: { name, namespace: 'argocd' },
  spec: {
    project: 'default',
    source: { repoURL: 'http://nowhere.example.com/x.git', path: '.', targetRevision: 'main' },
    destination: { name: 'site-a', namespace: 'shop' },
  },
})

/** The first thing shown that fits. */
async function first<T>(watching: AsyncIterable<T>, fits: (shown: T) => boolean): Promise<T> {
  for await (const shown of watching) if (fits(shown)) return shown
  throw new Error('it ended before')
}

describe('the hub', () => {
  it('knows its ManagedClusters, and none of another name', async () => {
    expect(await clients.hub.managedCluster('site-a')).toEqual({ accepted: true })
    expect(await clients.hub.managedCluster('nowhere')).toBeUndefined()
  })

  it('shows a Placement from before it is there until OCM has decided', async () => {
    const watching = clients.hub.watchPlacement('argocd', 'web-01', AbortSignal.timeout(10_000))
    const states = watching[Symbol.asyncIterator]()
    expect(await states.next()).toEqual({ done: false, value: undefined })
    await objectApi(fleet.clusters, 'hub').create(forClient(placement('web-01')))
    const decided = await first({ [Symbol.asyncIterator]: () => states }, (state) => (state?.decisions.length ?? 0) > 0)
    expect(decided).toMatchObject({ generation: 1, decisions: [{ clusterName: expect.stringMatching(/^site-/) }] })
  })

  it('settles an Application once Argo CD has looked at Git, and when there is none', async () => {
    const signal = AbortSignal.timeout(10_000)
    const revision = fleet.commit({
      'apps/settled/config.json': { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settled' } },
    })
    const source = { repoURL: url, path: 'apps/settled', targetRevision: 'main' }
    const settled = application('settled')
    await objectApi(fleet.clusters, 'hub').create(forClient({ ...settled, spec: { ...settled.spec, source } }))
    expect(await clients.machines.settle('settled', signal)).toBe(true)
    const shown = fleet.clusters.store('hub').get('Application', 'argocd', 'settled')
    expect(shown?.['status']).toMatchObject({ sync: { revision } })
    expect(await clients.machines.settle('nothing-of-this-name', signal)).toBe(true)
  })

  it('does not settle an Application for which Argo CD cannot read Git', async () => {
    await objectApi(fleet.clusters, 'hub').create(forClient(application('unreadable')))
    expect(await clients.machines.settle('unreadable', AbortSignal.timeout(300))).toBe(false)
  })

  it('does not settle an Application that Argo CD leaves behind', async () => {
    const remove = fleet.clusters.faults.add({ fault: 'sync-stuck', kind: 'Application', name: 'stuck' })
    await objectApi(fleet.clusters, 'hub').create(forClient(application('stuck')))
    expect(await clients.machines.settle('stuck', AbortSignal.timeout(300))).toBe(false)
    remove()
  })

  it('refreshes an Application, and forgives that there is none', async () => {
    await objectApi(fleet.clusters, 'hub').create(forClient(application('refreshed')))
    const store = fleet.clusters.store('hub')
    const before = store.get('Application', 'argocd', 'refreshed')?.metadata.resourceVersion
    await clients.hub.refresh('refreshed')
    expect(store.get('Application', 'argocd', 'refreshed')?.metadata.resourceVersion).not.toBe(before)
    await clients.machines.refresh('nothing-of-this-name')
  })

  it('asks for a look of its own: one that is under way may have read Git before', async () => {
    const remove = fleet.clusters.faults.add({ fault: 'sync-stuck', kind: 'Application', name: 'asked' })
    await objectApi(fleet.clusters, 'hub').create(forClient(application('asked')))
    await clients.hub.refresh('asked')
    const asked = () => fleet.clusters.store('hub').get('Application', 'argocd', 'asked')?.metadata
    expect(asked()?.annotations).toHaveProperty([refreshAnnotation])
    const before = asked()?.resourceVersion
    let isHeard = false
    const again = clients.hub.refresh('asked').then(() => {
      isHeard = true
    })
    await sleep(200)
    expect([isHeard, asked()?.resourceVersion]).toEqual([false, before])
    remove()
    await again
    expect(isHeard).toBe(true)
  })

  it('is asked for a look once by all who want one at the same time, however many runs there are', async () => {
    await objectApi(fleet.clusters, 'hub').create(forClient(application('crowded')))
    const hub = openAccess({ kubeconfig: join(fleet.folder, 'kubeconfig'), hubContext: 'hub' })('hub')
    let questions = 0
    const remove = fleet.clusters.faults.add({ fault: 'sync-stuck', kind: 'Application', name: 'crowded' })
    const use: Access['use'] = (what, act) => {
      questions += 1
      if (questions === 5) remove()
      return hub.use(what, act)
    }
    const wake = openWaker({ access: { ...hub, use }, argocdNamespace: 'argocd' })
    await Promise.all(Array.from({ length: 100 }, () => wake('crowded')))
    // What was put first, what was put for all others, and looks until Argo CD is free for it.
    expect(questions).toBeLessThan(50)
    // Who comes later asks anew.
    questions = 0
    await wake('crowded')
    expect(questions).toBeGreaterThan(0)
  })

  it('keeps nobody waiting for a hub that does not answer, who asked first or who came later', async () => {
    const hub = openAccess({ kubeconfig: join(fleet.folder, 'kubeconfig'), hubContext: 'hub' })('hub')
    const access = { ...hub, use: () => new Promise<never>(() => undefined) }
    const wake = openWaker({ access, argocdNamespace: 'argocd' }, 50)
    const first = wake('crowded')
    await Promise.all([first, wake('crowded'), wake('another')])
  })

  it('is asked anew after a question that failed, of which all hear who shared it', async () => {
    const hub = openAccess({ kubeconfig: join(fleet.folder, 'kubeconfig'), hubContext: 'hub' })('hub')
    let isBroken = true
    const use: Access['use'] = (what, act) => (isBroken ? Promise.reject(new Error('no route')) : hub.use(what, act))
    const wake = openWaker({ access: { ...hub, use }, argocdNamespace: 'argocd' })
    const answers = await Promise.allSettled([1, 2, 3].map(() => wake('crowded')))
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    isBroken = false
    await wake('crowded')
  })
})

describe('a machine', () => {
  const address = { cluster: 'site-a', namespace: 'shop', name: 'web-01' }
  const nothing: MachineView = {
    application: undefined,
    machine: undefined,
    instance: undefined,
    disks: [],
    secrets: [],
  }

  it('is shown with what is there of it, and only with that', async () => {
    const watching = clients.machines.watch(address, AbortSignal.timeout(10_000))
    const views = watching[Symbol.asyncIterator]()
    expect(await views.next()).toEqual({ done: false, value: nothing })
    const labelled = dataVolume('web-01-root')
    labelled.metadata.labels = { 'drover.dev/machine': 'web-01' }
    const site = objectApi(fleet.clusters, 'site-a')
    await site.create(forClient(dataVolume('of-somebody-else')))
    await site.create(forClient(labelled))
    await objectApi(fleet.clusters, 'hub').create(forClient(application('web-01')))
    const view = await first(
      { [Symbol.asyncIterator]: () => views },
      ({ application, disks }) => application !== undefined && disks[0]?.status?.phase === 'Succeeded',
    )
    expect(view.disks.map(({ metadata }) => metadata.name)).toEqual(['web-01-root'])
    expect(view).toMatchObject({ application: { metadata: { name: 'web-01' } }, machine: undefined, secrets: [] })
  })

  it('cannot be asked about on a cluster that the kubeconfig does not name', async () => {
    const nowhere = clients.machines.watch({ ...address, cluster: 'site-z' }, AbortSignal.timeout(10_000))
    await expect(first(nowhere, () => true)).rejects.toMatchObject({
      reason: 'broken',
      message: 'Cannot reach cluster "site-z": the kubeconfig has no context of that name',
    })
  })
})

describe('disks', () => {
  it.each([
    ['site-a', 'in place'],
    ['site-older', 'new disks'],
    ['hub', undefined],
  ])('of %s are put back: %s', async (cluster, restoring) => {
    expect(await clients.machines.restoring(cluster)).toBe(restoring)
  })
})

describe('a kubeconfig', () => {
  it.each(['/nowhere/kubeconfig', new URL('../../../package.json', import.meta.url).pathname])(
    'that is none is said to be it (%#)',
    async (kubeconfig) => {
      const { hub } = openClusters({ kubeconfig, hubContext: 'hub', argocdNamespace: 'argocd' })
      await expect(hub.managedCluster('site-a')).rejects.toMatchObject({
        reason: 'broken',
        message: expect.stringMatching(/^Cannot reach cluster "hub": the kubeconfig (cannot be read|has no context)/),
      })
    },
  )

  it('is read again after it was wrong', async () => {
    const kubeconfig = join(fleet.folder, 'late')
    const { hub } = openClusters({ kubeconfig, hubContext: 'hub', argocdNamespace: 'argocd' })
    await expect(hub.managedCluster('site-a')).rejects.toThrow('the kubeconfig cannot be read')
    writeFileSync(kubeconfig, JSON.stringify(fleet.clusters.kubeconfig))
    expect(await hub.managedCluster('site-a')).toMatchObject({ accepted: true })
  })

  it('with a wrong token makes the hub broken, and shows nothing of it', async () => {
    const kubeconfig = join(fleet.folder, 'wrong')
    const text = JSON.stringify(fleet.clusters.kubeconfig).replace(/"token":"[^"]+"/g, '"token":"hunter2"')
    writeFileSync(kubeconfig, text)
    const { hub } = openClusters({ kubeconfig, hubContext: 'hub', argocdNamespace: 'argocd' })
    const error = await hub.managedCluster('site-a').catch((thrown: Error) => thrown)
    expect(error).toMatchObject({ reason: 'broken', message: 'Cannot ask cluster "hub": it answered 401' })
    expect(String((error as Error).cause)).not.toContain('hunter2')
  })
})
