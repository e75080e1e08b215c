import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import { managedCluster, statusOf } from '../../local/clusters/seed.ts'
import { type Chain, small, startChain } from '../chain/harness.ts'
import { openApi } from './api.ts'

/** How a machine finds its cluster, by OCM's own controllers. */

const plane = inject('controlPlane')
if (!plane) throw new Error('Cannot run on the stand-ins: this is about the real controllers')
const api = openApi(plane.kubeconfig)
const ocm = 'cluster.open-cluster-management.io'

let chain: Chain
beforeAll(async () => {
  chain = await startChain()
})
afterEach(async () => {
  for (const name of ['site-a', 'site-b']) {
    await api.merge('ManagedCluster', '', name, { spec: { taints: null } })
    await resize(name, name === 'site-a' ? '256Gi' : '512Gi')
  }
})
afterAll(async () => {
  await chain.close()
  api.close()
})

/** Says how much memory a cluster has left. */
const resize = (name: string, memory: string) =>
  api.merge(
    'ManagedCluster',
    '',
    name,
    {
      status: {
        ...statusOf({ name, cpu: '64', memory }, new Date().toISOString()),
        capacity: { cpu: '128', memory: '1Ti' },
      },
    },
    { subresource: 'status' },
  )

const placement = (change: object) => ({ clusterSets: ['global'], ...change })

/** Where a request goes; its machine is not waited for. */
async function placed(change: object): Promise<string | undefined> {
  const run = await chain.request(small({ placement: placement(change) } as never))
  const seen = await chain.feed.first(({ run: id, type }) => id === run.id && /\.(placed|place\.failed)$/.test(type))
  return seen.data.facts?.cluster ?? seen.data.message
}

describe('place', () => {
  it.each([
    ['a label', { predicates: [{ labels: { region: 'eu-north' } }] }, 'site-b'],
    [
      'an expression',
      { predicates: [{ expressions: [{ key: 'tier', operator: 'NotIn', values: ['silver'] }] }] },
      'site-a',
    ],
    ['a claim', { predicates: [{ claims: [{ key: 'id.k8s.io', operator: 'In', values: ['site-b'] }] }] }, 'site-b'],
  ])('follows a predicate by %s', async (_, change, cluster) => {
    expect(await placed(change)).toBe(cluster)
  })

  it.each([
    ['site-a', '900Gi', '10Gi'],
    ['site-b', '10Gi', '900Gi'],
  ])('follows a prioritizer to %s, which has the most memory left', async (cluster, a, b) => {
    await resize('site-a', a)
    await resize('site-b', b)
    await sleep(1_000)
    expect(await placed({ prioritizers: [{ score: 'ResourceAllocatableMemory', weight: 5 }] })).toBe(cluster)
  })

  it.each([
    ['site-b', 10],
    ['site-a', -10],
  ])('follows an add-on score to %s', async (cluster, weight) => {
    for (const [name, value] of [
      ['site-a', 10],
      ['site-b', 90],
    ] as const) {
      const metadata = { name: 'storage', namespace: name }
      await api.call(
        'PATCH',
        `/apis/${ocm}/v1alpha1/namespaces/${name}/addonplacementscores/storage?fieldManager=test&force=true`,
        {
          type: 'application/apply-patch+yaml',
          body: { apiVersion: `${ocm}/v1alpha1`, kind: 'AddOnPlacementScore', metadata },
        },
      )
      await api.call('PATCH', `/apis/${ocm}/v1alpha1/namespaces/${name}/addonplacementscores/storage/status`, {
        type: 'application/merge-patch+json',
        body: {
          status: { scores: [{ name: 'free', value }], validUntil: new Date(Date.now() + 600_000).toISOString() },
        },
      })
    }
    await sleep(1_000)
    expect(await placed({ prioritizers: [{ score: 'storage/free', weight }] })).toBe(cluster)
  })

  it('keeps off a tainted cluster, and takes it where the request tolerates the taint', async () => {
    const taint = { key: 'maintenance', value: 'yes', effect: 'NoSelect' }
    await api.merge('ManagedCluster', '', 'site-b', { spec: { taints: [taint] } })
    await sleep(1_000)
    const predicates = [{ labels: { vendor: 'OpenShift' } }]
    expect(await placed({ predicates, prioritizers: [{ score: 'ResourceAllocatableMemory', weight: 5 }] })).toBe(
      'site-a',
    )
    const tolerations = [{ key: 'maintenance', operator: 'Exists' }]
    expect(await placed({ predicates: [{ labels: { region: 'eu-north' } }], tolerations })).toBe('site-b')
  })

  it('says in a sentence that no cluster fits', async () => {
    expect(await placed({ predicates: [{ labels: { region: 'moon' } }] })).toMatch(/^Cannot place .*No ManagedCluster/)
  }, 60_000)
})

describe('a machine that is placed', () => {
  it('stays where it is when the decision changes, is empty, or is gone', async () => {
    const predicates = [{ labels: { mood: 'good' } }]
    const mood = (name: string, value: string | null) =>
      api.merge('ManagedCluster', '', name, { metadata: { labels: { mood: value } } })
    await mood('site-a', 'good')
    const run = await chain.request(small({ placement: placement({ predicates }) } as never))
    const { facts, vmName = '' } = (await run.ended).data
    expect(facts?.cluster).toBe('site-a')
    const before = await api.get('VirtualMachine', 'shop', vmName)
    const unchanged = async () => {
      await sleep(2_500)
      const now = await api.get('VirtualMachine', 'shop', vmName)
      expect(now?.metadata.uid).toBe(before?.metadata.uid)
      expect(now?.metadata.deletionTimestamp).toBeUndefined()
      const application = await api.get('Application', 'argocd', vmName)
      expect(application?.['spec']).toMatchObject({ destination: { name: 'site-a' } })
    }
    await mood('site-b', 'good')
    await mood('site-a', null)
    await unchanged()
    await mood('site-b', null)
    await unchanged()
    const decisions = (await api.list('PlacementDecision', 'argocd')).filter(({ metadata }) =>
      metadata.labels?.[`${ocm}/placement`]?.startsWith(vmName),
    )
    expect(decisions.length).toBeGreaterThan(0)
    for (const { metadata } of decisions) await api.remove('PlacementDecision', 'argocd', metadata.name)
    await unchanged()
    await api.remove('ManagedCluster', '', 'site-b')
    await unchanged()
    const { metadata } = await api.apply(
      managedCluster({ name: 'site-b', labels: { region: 'eu-north', tier: 'silver' } }),
    )
    await api.merge(
      'ManagedCluster',
      '',
      'site-b',
      { status: statusOf({ name: 'site-b', cpu: '128', memory: '512Gi' }, metadata.creationTimestamp) },
      { subresource: 'status' },
    )
  }, 120_000)
})
