import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fieldAt } from '../../../local/clusters/selector.ts'
import type { Store } from '../../../local/clusters/store.ts'
import { machineApplication } from '../../../shared/gitops/application.ts'
import {
  application,
  configMap,
  dataVolume,
  machine,
  record,
  refresh,
  startFleet,
  synced,
  until,
  untilGone,
} from './harness.ts'

let fleet: Awaited<ReturnType<typeof startFleet>>
let hub: Store
let site: Store

beforeAll(async () => {
  fleet = await startFleet({ bootstrap: true })
  hub = fleet.clusters.store('hub')
  site = fleet.clusters.store('site-a')
})
afterAll(() => fleet.end())

/** Commits files of an Application, makes it if it is new, and waits until it is synced. */
async function deploy(name: string, files: Record<string, unknown>, spec = {}, metadata = {}) {
  const revision = fleet.commit(
    Object.fromEntries(Object.entries(files).map(([file, content]) => [`apps/${name}/${file}`, content])),
  )
  if (hub.get('Application', 'argocd', name)) refresh(hub, name)
  else hub.create(application(name, spec, metadata))
  return revision
}
const app = (name: string) => hub.get('Application', 'argocd', name)
const fleetSettings = { repoUrl: 'x', branch: 'main', namespace: 'argocd', project: 'default', rootApplication: 'hub' }
const condition = (name: string) => fieldAt(app(name), 'status.conditions.0')
const kept = {
  'argocd.argoproj.io/sync-options': 'Prune=false,Delete=false',
  'argocd.argoproj.io/compare-options': 'IgnoreExtraneous',
}

describe('the root Application', () => {
  it('applies what the folder hub says, and what leaves it goes', async () => {
    const placement = {
      apiVersion: 'cluster.open-cluster-management.io/v1beta1',
      kind: 'Placement',
      metadata: { name: 'from-git' },
      spec: { numberOfClusters: 1 },
    }
    const files = {
      'hub/deep/placement.yaml': placement,
      'hub/app.yaml': application('from-git'),
      'apps/from-git/cm.yaml': configMap('from-git'),
    }
    const revision = fleet.commit(files)
    refresh(hub, 'drover-hub')
    await synced(hub, 'drover-hub', revision)
    await synced(hub, 'from-git', revision)
    await until(hub, 'Placement', 'argocd/from-git', { 'status.conditions[PlacementSatisfied].status': 'True' })
    expect(site.get('ConfigMap', 'shop', 'from-git')?.metadata.annotations?.['argocd.argoproj.io/tracking-id']).toBe(
      'from-git:/ConfigMap:shop/from-git',
    )

    fleet.commit({ 'hub/app.yaml': null, 'hub/deep/placement.yaml': null })
    refresh(hub, 'drover-hub')
    await untilGone(hub, 'Application', 'argocd/from-git')
    await untilGone(site, 'ConfigMap', 'shop/from-git')
    await untilGone(hub, 'PlacementDecision', 'argocd/from-git-decision-1')
  })
})

describe('an Application', () => {
  it('with a machine goes from Missing to Healthy, and its refresh annotation goes', async () => {
    const health = record(hub, 'Application', 'whole', 'status.health.status')
    const revision = await deploy('whole', {
      'root.yaml': dataVolume('whole-root'),
      'vm.yaml': machine('whole', { disks: ['whole-root'], mac: '02:00:00:00:02:01' }),
    })
    await synced(hub, 'whole', revision)
    await until(hub, 'Application', 'argocd/whole', { 'status.health.status': 'Healthy' })
    expect(health[0]).toBe('Missing')
    expect(fieldAt(app('whole'), 'status.operationState.phase')).toBe('Succeeded')
    refresh(hub, 'whole')
    await expect.poll(() => app('whole')?.metadata.annotations).toEqual({})
  })

  it('with a machine that Git stops is Healthy again', async () => {
    const revision = await deploy('whole', {
      'vm.yaml': machine('whole', { disks: ['whole-root'], spec: { runStrategy: 'Halted' }, mac: '02:00:00:00:02:01' }),
    })
    await synced(hub, 'whole', revision)
    await until(site, 'VirtualMachine', 'shop/whole', { 'status.printableStatus': 'Stopped' })
    await until(hub, 'Application', 'argocd/whole', { 'status.health.status': 'Healthy' })
  })

  it('prunes what left Git, but not what says Prune=false', async () => {
    await synced(
      hub,
      'pruned',
      await deploy('pruned', {
        'a.yaml': configMap('pruned-a'),
        'b.yaml': configMap('pruned-b', { annotations: { 'argocd.argoproj.io/sync-options': 'Prune=false' } }),
        'c.yaml': configMap('pruned-c'),
      }),
    )
    await deploy('pruned', { 'a.yaml': null, 'b.yaml': null })
    await untilGone(site, 'ConfigMap', 'shop/pruned-a')
    await until(hub, 'Application', 'argocd/pruned', { 'status.sync.status': 'OutOfSync' })
    expect(site.get('ConfigMap', 'shop', 'pruned-b')).toBeDefined()
  })

  it('leaves to the garbage collector what became another object’s meanwhile', async () => {
    await synced(
      hub,
      'owned',
      await deploy('owned', { 'one.yaml': configMap('child'), 'two.yaml': configMap('beside') }),
    )
    const owner = site.get('ConfigMap', 'shop', 'beside')!
    const { apiVersion, kind, metadata } = owner
    const ownerReferences = [{ apiVersion, kind, name: metadata.name, uid: metadata.uid, controller: true }]
    site.modify(site.get('ConfigMap', 'shop', 'child')!, (now) => ({
      ...now,
      metadata: { ...now.metadata, ownerReferences },
    }))
    await synced(hub, 'owned', await deploy('owned', { 'one.yaml': null }))
    expect(fieldAt(app('owned'), 'status.resources')).toEqual([expect.objectContaining({ name: 'beside' })])
    expect(site.get('ConfigMap', 'shop', 'child')).toBeDefined()
    await synced(hub, 'owned', await deploy('owned', { 'two.yaml': null, 'three.yaml': configMap('last') }))
    await untilGone(site, 'ConfigMap', 'shop/child')
  })

  it('makes anew what says Force and Replace, once what differs is gone', async () => {
    const replacing = (text: string) => {
      const object = configMap('anew')
      const annotations = { 'argocd.argoproj.io/sync-options': 'Force=true,Replace=true' }
      return { ...object, data: { text }, metadata: { ...object.metadata, annotations } }
    }
    await synced(hub, 'replaced', await deploy('replaced', { 'one.yaml': replacing('one') }))
    const { uid } = site.get('ConfigMap', 'shop', 'anew')!.metadata
    const finalizers = ['example.com/held']
    site.modify(site.get('ConfigMap', 'shop', 'anew')!, (now) => ({
      ...now,
      metadata: { ...now.metadata, finalizers },
    }))
    const revision = await deploy('replaced', { 'one.yaml': replacing('two') })
    const held = await until(site, 'ConfigMap', 'shop/anew', { 'metadata.deletionGracePeriodSeconds': 0 })
    expect(held['data']).toEqual({ text: 'one' })
    site.modify(held, (now) => ({ ...now, metadata: { ...now.metadata, finalizers: [] } }))
    await synced(hub, 'replaced', revision)
    const now = site.get('ConfigMap', 'shop', 'anew')!
    expect([now['data'], now.metadata.uid === uid]).toEqual([{ text: 'two' }, false])
  })

  it.each([
    [['ApplyOutOfSyncOnly=true'], 'leaves what says Force and Replace alone when something else is applied'],
    [[], 'makes what says Force and Replace anew whenever something else is applied'],
  ])('that applies with %j %s', async (syncOptions, _) => {
    const name = `partial-${syncOptions.length}`
    const object = configMap(name)
    const annotations = { 'argocd.argoproj.io/sync-options': 'Force=true,Replace=true' }
    const replacing = { ...object, metadata: { ...object.metadata, annotations } }
    const syncPolicy = { automated: { prune: true, selfHeal: true }, syncOptions }
    await synced(hub, name, await deploy(name, { 'one.yaml': replacing }, { syncPolicy }))
    const { uid } = site.get('ConfigMap', 'shop', name)!.metadata
    await synced(hub, name, await deploy(name, { 'two.yaml': configMap(`${name}-beside`) }))
    expect(site.get('ConfigMap', 'shop', name)!.metadata.uid === uid).toBe(syncOptions.length > 0)
  })

  it('is Synced beside a kept disk that left Git when the disk says IgnoreExtraneous', async () => {
    await synced(
      hub,
      'extra',
      await deploy('extra', { 'a.yaml': configMap('extra-a'), 'disk.yaml': dataVolume('extra-disk', {}, kept) }),
    )
    await synced(hub, 'extra', await deploy('extra', { 'disk.yaml': null }))
    expect(site.get('DataVolume', 'shop', 'extra-disk')).toBeDefined()
  })

  it.each([
    ['Prune=false,Delete=false', true],
    ['Prune=false', false],
  ])('that is deleted leaves its data disk when that says %s: %s', async (options, stays) => {
    const name = stays ? 'kept' : 'lost'
    const disk = dataVolume(`${name}-disk`, {}, { 'argocd.argoproj.io/sync-options': options })
    await synced(hub, name, await deploy(name, { 'a.yaml': configMap(`${name}-a`), 'disk.yaml': disk }))
    await until(site, 'PersistentVolumeClaim', `shop/${name}-disk`, { 'status.phase': 'Bound' })
    hub.remove('Application', 'argocd', name)
    await untilGone(hub, 'Application', `argocd/${name}`)
    await untilGone(site, 'ConfigMap', `shop/${name}-a`)
    if (!stays) await untilGone(site, 'PersistentVolumeClaim', `shop/${name}-disk`)
    expect(site.get('PersistentVolumeClaim', 'shop', `${name}-disk`) !== undefined).toBe(stays)
  })

  it('without the finalizer leaves everything when it is deleted', async () => {
    await synced(hub, 'loose', await deploy('loose', { 'a.yaml': configMap('loose-a') }, {}, { finalizers: [] }))
    hub.remove('Application', 'argocd', 'loose')
    await untilGone(hub, 'Application', 'argocd/loose')
    expect(site.get('ConfigMap', 'shop', 'loose-a')).toBeDefined()
  })

  it('undoes a foreign change, and makes again what somebody deleted', async () => {
    await synced(hub, 'healed', await deploy('healed', { 'a.yaml': configMap('healed-a') }))
    const live = site.get('ConfigMap', 'shop', 'healed-a')
    if (live) site.modify(live, (current) => ({ ...current, data: { a: 'foreign' } }))
    await until(site, 'ConfigMap', 'shop/healed-a', { 'data.a': '1' })
    site.remove('ConfigMap', 'shop', 'healed-a')
    await until(site, 'ConfigMap', 'shop/healed-a', { 'data.a': '1' })
  })

  it('leaves fields alone that others wrote and Git does not name', async () => {
    await synced(hub, 'foreign', await deploy('foreign', { 'a.yaml': configMap('foreign-a') }))
    const live = site.get('ConfigMap', 'shop', 'foreign-a')
    if (live) site.modify(live, (current) => ({ ...current, data: { a: '1', b: 'theirs' } }))
    await synced(hub, 'foreign', await deploy('foreign', { 'b.yaml': configMap('foreign-b') }))
    expect(fieldAt(site.get('ConfigMap', 'shop', 'foreign-a'), 'data')).toEqual({ a: '1', b: 'theirs' })
  })

  it('whose manifest is refused says why, and is mended by the next commit', async () => {
    const bad = { ...machine('refused', { mac: '02:00:00:00:02:02' }), spec: { runStrategy: 'Sometimes' } }
    await deploy('refused', { 'vm.yaml': bad })
    await until(hub, 'Application', 'argocd/refused', { 'status.operationState.phase': 'Failed' })
    expect(fieldAt(app('refused'), 'status.operationState.message')).toMatch(
      /^one or more objects failed to apply, reason: admission webhook .* denied the request: .*\(retried 5 times\)\.$/,
    )
    expect(condition('refused')).toMatchObject({
      type: 'SyncError',
      message: expect.stringContaining('Failed last sync attempt to ['),
    })
    await synced(
      hub,
      'refused',
      await deploy('refused', { 'vm.yaml': machine('refused', { mac: '02:00:00:00:02:02' }) }),
    )
  })

  it('that would remove all it has says so and does not', async () => {
    await synced(hub, 'emptied', await deploy('emptied', { 'a.yaml': configMap('emptied-a'), 'README.md': 'x' }))
    await deploy('emptied', { 'a.yaml': null })
    await until(hub, 'Application', 'argocd/emptied', { 'status.sync.status': 'OutOfSync' })
    expect(condition('emptied')).toMatchObject({
      message: expect.stringContaining('auto-sync will wipe out all resources'),
    })
    expect(site.get('ConfigMap', 'shop', 'emptied-a')).toBeDefined()
  })

  it('passes over YAML that cannot be parsed, unless it looks like a manifest', async () => {
    await synced(
      hub,
      'garbled',
      await deploy('garbled', { 'a.yaml': configMap('garbled-a'), 'b.yaml': 'kind: ConfigMap\n  bad: [' }),
    )
    await deploy('garbled', { 'b.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: [\n' })
    await until(hub, 'Application', 'argocd/garbled', { 'status.sync.status': 'Unknown' })
    expect(condition('garbled')).toMatchObject({
      type: 'ComparisonError',
      message: expect.stringContaining('Failed to unmarshal "b.yaml"'),
    })
  })

  it('does not differ by what admission filled in, or by the pointers it ignores', async () => {
    const ignoreDifferences = [{ kind: 'ConfigMap', jsonPointers: ['/data/a'] }]
    await synced(
      hub,
      'ignoring',
      await deploy(
        'ignoring',
        { 'a.yaml': configMap('ignoring-a'), 'vm.yaml': machine('ignoring', { mac: '02:00:00:00:02:03' }) },
        { ignoreDifferences },
      ),
    )
    const live = site.get('ConfigMap', 'shop', 'ignoring-a')
    if (live) site.modify(live, (current) => ({ ...current, data: { a: 'foreign' } }))
    await synced(hub, 'ignoring', await deploy('ignoring', { 'b.yaml': configMap('ignoring-b') }))
    expect(fieldAt(site.get('ConfigMap', 'shop', 'ignoring-a'), 'data.a')).toBe('foreign')
  })

  it('differs by what is filled into a list, unless a path of jq ignores it', async () => {
    const secret = (name: string) => ({
      apiVersion: 'external-secrets.io/v1',
      kind: 'ExternalSecret',
      metadata: { name },
      spec: {
        secretStoreRef: { name: 'platform', kind: 'ClusterSecretStore' },
        target: { name },
        data: [{ secretKey: 'password', remoteRef: { key: 'x' } }],
      },
    })
    await deploy('filled', { 'a.yaml': secret('filled') })
    await until(hub, 'Application', 'argocd/filled', { 'status.sync.status': 'OutOfSync' })
    await until(site, 'ExternalSecret', 'shop/filled', { 'spec.data.0.remoteRef.conversionStrategy': 'Default' })
    const { spec } = machineApplication({ cluster: 'site-a', namespace: 'shop', name: 'x' }, fleetSettings)
    const { ignoreDifferences } = spec as { ignoreDifferences: object[] }
    const revision = await deploy('ignored', { 'a.yaml': secret('ignored') }, { ignoreDifferences })
    await synced(hub, 'ignored', revision)
  })

  it.each([
    [
      'another repository',
      { source: { repoURL: 'http://elsewhere/x.git', path: '.' } },
      'ComparisonError',
      'repository not found: http://elsewhere/x.git',
    ],
    [
      'a missing path',
      { source: { repoURL: 'http://u:p@127.0.0.1:1/fleet', path: 'none' } },
      'ComparisonError',
      'none: app path does not exist',
    ],
    [
      'a missing branch',
      { source: { repoURL: 'http://127.0.0.1:1/fleet.git', path: 'hub', targetRevision: 'none' } },
      'ComparisonError',
      "unable to resolve 'none' to a commit SHA",
    ],
    [
      'an unknown cluster',
      { destination: { name: 'mars' } },
      'InvalidSpecError',
      'there are no clusters with this name: mars',
    ],
    [
      'an unknown project',
      { project: 'none' },
      'InvalidSpecError',
      'Application referencing project none which does not exist',
    ],
  ])('with %s says so', async (what, spec, type, message) => {
    const name = what.replaceAll(' ', '-')
    hub.create(application(name, spec))
    await until(hub, 'Application', `argocd/${name}`, { 'status.sync.status': 'Unknown' })
    expect(condition(name)).toMatchObject({ type, message: expect.stringContaining(message) })
  })

  it('for a kind that its cluster has not says which definition is missing', async () => {
    await deploy('kindless', { 'a.yaml': { apiVersion: 'example.org/v1', kind: 'Thing', metadata: { name: 'x' } } })
    await until(hub, 'Application', 'argocd/kindless', { 'status.operationState.phase': 'Failed' })
    expect(fieldAt(app('kindless'), 'status.operationState.message')).toContain(
      'Make sure the "Thing" CRD is installed on the destination cluster.',
    )
  })
})

it('an Application that applies server-side removes what it had, keeps what others wrote, and remembers no configuration', async () => {
  const syncPolicy = {
    automated: { prune: true, selfHeal: true },
    syncOptions: ['ServerSideApply=true', 'CreateNamespace=true'],
  }
  const map = (data: object) => ({ ...configMap('server-side'), data })
  await synced(hub, 'server-side', await deploy('server-side', { 'a.yaml': map({ a: '1', b: '2' }) }, { syncPolicy }))
  const live = site.get('ConfigMap', 'shop', 'server-side') ?? expect.fail()
  site.modify(live, (current) => ({ ...current, data: { a: '1', b: '2', c: 'theirs' } }))
  await synced(hub, 'server-side', await deploy('server-side', { 'a.yaml': map({ a: '3' }) }))
  const applied = site.get('ConfigMap', 'shop', 'server-side')
  expect(applied?.['data']).toEqual({ a: '3', c: 'theirs' })
  expect(Object.keys(applied?.metadata.annotations ?? {})).toEqual(['argocd.argoproj.io/tracking-id'])
})

it.each([
  [true, 'soon'],
  [false, 'only after the retries of the refused one'],
])('a mended manifest is applied, with retry.refresh %s, %s', async (again) => {
  const slow = await startFleet({ delays: { scale: 0.01, steps: { sync: 0, heal: 0 } } })
  const store = slow.clusters.store('hub')
  const manifest = (data: unknown) => ({
    'apps/mended/a.yaml': {
      ...configMap('mended'),
      metadata: { name: data ? 'mended' : 'Not A Name', namespace: 'shop' },
    },
  })
  slow.commit(manifest(undefined))
  const retry = { limit: 3, refresh: again }
  store.create(application('mended', { syncPolicy: { automated: {}, syncOptions: ['CreateNamespace=true'], retry } }))
  await until(store, 'Application', 'argocd/mended', { 'status.operationState.retryCount': 1 })
  const retries = record(store, 'Application', 'mended', 'status.operationState.retryCount')
  const revision = slow.commit(manifest('good'))
  refresh(store, 'mended')
  await synced(store, 'mended', revision)
  expect(retries.includes('3')).toBe(!again)
  await slow.end()
})

it('Argo CD looks at Git by itself when its poll is due', async () => {
  const polled = await startFleet({ polling: 20, files: { 'apps/polled/a.yaml': configMap('a') } })
  const store = polled.clusters.store('hub')
  store.create(application('polled'))
  await until(store, 'Application', 'argocd/polled', { 'status.sync.status': 'Synced' })
  await synced(store, 'polled', polled.commit({ 'apps/polled/b.yaml': configMap('b') }))
  await polled.end()
})

it('a path that is missing at first is found by the next poll', async () => {
  const polled = await startFleet({ polling: 20 })
  const store = polled.clusters.store('hub')
  store.create(application('late'))
  await until(store, 'Application', 'argocd/late', { 'status.sync.status': 'Unknown' })
  await synced(store, 'late', polled.commit({ 'apps/late/a.yaml': configMap('late') }))
  await polled.end()
})
