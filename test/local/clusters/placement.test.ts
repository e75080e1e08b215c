import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { NewObject } from '../../../local/clusters/object.ts'
import { fieldAt } from '../../../local/clusters/selector.ts'
import type { Store } from '../../../local/clusters/store.ts'
import { startFleet, until } from './harness.ts'

let fleet: Awaited<ReturnType<typeof startFleet>>
let hub: Store

const clusters = [
  { name: 'site-a', labels: { region: 'west', environment: 'production' }, cpu: '64', memory: '256Gi' },
  { name: 'site-b', labels: { region: 'north', environment: 'production' }, cpu: '128', memory: '128Gi' },
  { name: 'site-c', labels: { region: 'north', environment: 'test' }, cpu: '32', memory: '64Gi' },
]
beforeAll(async () => {
  fleet = await startFleet({ clusters })
  hub = fleet.clusters.store('hub')
})
afterAll(() => fleet.end())

const placement = (name: string, spec: object, namespace = 'argocd'): NewObject => ({
  apiVersion: 'cluster.open-cluster-management.io/v1beta1',
  kind: 'Placement',
  metadata: { name, namespace },
  spec,
})
const chosen = (name: string, namespace = 'argocd') => {
  const decisions = fieldAt(hub.get('PlacementDecision', namespace, `${name}-decision-1`), 'status.decisions')
  return Array.isArray(decisions) ? decisions.map((decision) => fieldAt(decision, 'clusterName')) : undefined
}
const labelled = (matchLabels: object, ...matchExpressions: object[]) => ({
  requiredClusterSelector: { labelSelector: { matchLabels, matchExpressions } },
})
const claimed = (values: string[]) => ({
  requiredClusterSelector: { claimSelector: { matchExpressions: [{ key: 'id.k8s.io', operator: 'In', values }] } },
})
const by = (builtIn: string, weight: number) => ({ scoreCoordinate: { type: 'BuiltIn', builtIn }, weight })
const exact = (...configurations: object[]) => ({
  numberOfClusters: 1,
  prioritizerPolicy: { mode: 'Exact', configurations },
})
const update = (name: string, change: (object: NewObject) => NewObject) =>
  hub.modify(hub.get('ManagedCluster', '', name) ?? expect.fail(), change)

describe('a Placement chooses', () => {
  it.each<[string, object, string[]]>([
    ['every cluster when it asks for nothing', {}, ['site-a', 'site-b', 'site-c']],
    ['by labels', { predicates: [labelled({ region: 'north' })] }, ['site-b', 'site-c']],
    [
      'by expressions',
      { predicates: [labelled({ region: 'north' }, { key: 'environment', operator: 'NotIn', values: ['test'] })] },
      ['site-b'],
    ],
    [
      'by any of its predicates',
      { predicates: [labelled({ environment: 'test' }), claimed(['site-a'])] },
      ['site-a', 'site-c'],
    ],
    ['no more than it asks for', { numberOfClusters: 2 }, ['site-a', 'site-b']],
    ['by free CPU', exact(by('ResourceAllocatableCPU', 1)), ['site-b']],
    ['by free memory', exact(by('ResourceAllocatableMemory', 1)), ['site-a']],
    ['by what is least free, where the weight is negative', exact(by('ResourceAllocatableCPU', -1)), ['site-c']],
    ['the clusters of its sets alone', { clusterSets: ['default'] }, []],
  ])('%s', async (what, spec, names) => {
    const name = what.toLowerCase().replaceAll(/\W+/g, '-')
    hub.create(placement(name, spec))
    const satisfied = names.length > 0 ? 'True' : 'False'
    await until(hub, 'Placement', `argocd/${name}`, {
      'status.conditions[PlacementSatisfied].status': satisfied,
      'status.numberOfSelectedClusters': names.length,
    })
    expect(chosen(name)).toEqual(names)
  })

  it('by an AddOn score, which counts nothing once it has expired', async () => {
    const score = (name: string, value: number, validUntil: string) => {
      const object = hub.create({
        apiVersion: 'cluster.open-cluster-management.io/v1alpha1',
        kind: 'AddOnPlacementScore',
        metadata: { name: 'storage', namespace: name },
      })
      hub.setStatus(object, { scores: [{ name: 'free', value }], validUntil })
    }
    score('site-a', 20, '2999-01-01T00:00:00Z')
    score('site-b', 90, '2001-01-01T00:00:00Z')
    hub.create(
      placement(
        'by-score',
        exact({ scoreCoordinate: { type: 'AddOn', addOn: { resourceName: 'storage', scoreName: 'free' } }, weight: 1 }),
      ),
    )
    await until(hub, 'Placement', 'argocd/by-score', { 'status.numberOfSelectedClusters': 1 })
    expect(chosen('by-score')).toEqual(['site-a'])
  })

  it('another cluster than other Placements have, by Balance', async () => {
    const spec = { numberOfClusters: 1, predicates: [labelled({ environment: 'production' })] }
    for (const name of ['balanced-1', 'balanced-2']) {
      hub.create(placement(name, { ...spec, prioritizerPolicy: { mode: 'Exact', configurations: [by('Balance', 1)] } }))
      await until(hub, 'Placement', `argocd/${name}`, { 'status.numberOfSelectedClusters': 1 })
    }
    expect(chosen('balanced-1')).not.toEqual(chosen('balanced-2'))
  })
})

describe('a decision', () => {
  it('is owned by its Placement and carries its label', async () => {
    hub.create(placement('labelled', {}))
    await until(hub, 'Placement', 'argocd/labelled', { 'status.numberOfSelectedClusters': 3 })
    const decision = hub.get('PlacementDecision', 'argocd', 'labelled-decision-1')
    expect(decision?.metadata).toMatchObject({
      labels: { 'cluster.open-cluster-management.io/placement': 'labelled' },
      ownerReferences: [{ kind: 'Placement', name: 'labelled' }],
    })
  })

  it.each([
    ['no set is bound in its namespace', 'kube-system', {}, 'NoManagedClusterSetBindings'],
    ['its sets are empty', 'argocd', { clusterSets: ['empty'] }, 'AllManagedClusterSetsEmpty'],
    ['no cluster fits', 'argocd', { predicates: [labelled({ region: 'moon' })] }, 'NoManagedClusterMatched'],
    ['fewer fit than it wants', 'argocd', { numberOfClusters: 9 }, 'NotAllDecisionsScheduled'],
  ])('is unsatisfied when %s', async (_what, namespace, spec, reason) => {
    if (!hub.get('ManagedClusterSet', '', 'empty')) {
      hub.create({
        apiVersion: 'cluster.open-cluster-management.io/v1beta2',
        kind: 'ManagedClusterSet',
        metadata: { name: 'empty' },
      })
      hub.create({
        apiVersion: 'cluster.open-cluster-management.io/v1beta2',
        kind: 'ManagedClusterSetBinding',
        metadata: { name: 'empty', namespace: 'argocd' },
        spec: { clusterSet: 'empty' },
      })
    }
    const name = reason.toLowerCase()
    hub.create(placement(name, spec, namespace))
    await until(hub, 'Placement', `${namespace}/${name}`, {
      'status.conditions[PlacementSatisfied].status': 'False',
      'status.conditions[PlacementSatisfied].reason': reason,
    })
    expect(chosen(name, namespace)).toHaveLength(reason === 'NotAllDecisionsScheduled' ? 3 : 0)
  })

  it('follows labels, taints and tolerations, and leaves a cluster that is not available', async () => {
    const north = { numberOfClusters: 1, predicates: [labelled({ moving: 'yes' })] }
    hub.create(placement('follows', north))
    await until(hub, 'Placement', 'argocd/follows', { 'status.numberOfSelectedClusters': 0 })
    update('site-c', (cluster) => ({
      ...cluster,
      metadata: { ...cluster.metadata, labels: { ...cluster.metadata.labels, moving: 'yes' } },
    }))
    await until(hub, 'Placement', 'argocd/follows', { 'status.numberOfSelectedClusters': 1 })
    hub.create(
      placement('tolerant', {
        ...north,
        tolerations: [{ key: 'cluster.open-cluster-management.io/unavailable', operator: 'Exists' }],
      }),
    )
    const cluster = hub.get('ManagedCluster', '', 'site-c') ?? expect.fail()
    hub.setStatus(cluster, { conditions: [{ type: 'ManagedClusterConditionAvailable', status: 'False' }] })
    await until(hub, 'Placement', 'argocd/follows', { 'status.numberOfSelectedClusters': 0 })
    await until(hub, 'Placement', 'argocd/tolerant', { 'status.numberOfSelectedClusters': 1 })
    expect(fieldAt(hub.get('ManagedCluster', '', 'site-c'), 'spec.taints.0')).toMatchObject({
      key: 'cluster.open-cluster-management.io/unavailable',
      effect: 'NoSelect',
    })
  })
})
