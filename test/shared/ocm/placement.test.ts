import { describe, expect, it } from 'vitest'
import { type Choice, chosen, placementName, toPlacement } from '../../../shared/ocm/placement.ts'

const always = [
  { key: 'cluster.open-cluster-management.io/unreachable', operator: 'Exists', tolerationSeconds: 300 },
  { key: 'cluster.open-cluster-management.io/unavailable', operator: 'Exists', tolerationSeconds: 300 },
]

describe('toPlacement', () => {
  it.each<[string, Choice, object]>([
    [
      'asks for one cluster and bears those that are away for five minutes',
      {},
      { numberOfClusters: 1, tolerations: always },
    ],
    [
      'writes cluster sets',
      { clusterSets: ['global'] },
      { numberOfClusters: 1, clusterSets: ['global'], tolerations: always },
    ],
    [
      'writes each predicate as a selector of its own',
      {
        predicates: [
          { labels: { region: 'eu' }, expressions: [{ key: 'gpu', operator: 'Exists' }] },
          { claims: [{ key: 'version', operator: 'In', values: ['4.20'] }] },
        ],
      },
      {
        numberOfClusters: 1,
        predicates: [
          {
            requiredClusterSelector: {
              labelSelector: { matchLabels: { region: 'eu' }, matchExpressions: [{ key: 'gpu', operator: 'Exists' }] },
            },
          },
          {
            requiredClusterSelector: {
              claimSelector: { matchExpressions: [{ key: 'version', operator: 'In', values: ['4.20'] }] },
            },
          },
        ],
        tolerations: always,
      },
    ],
    [
      'weighs only by the prioritizers that are named, built in or of an add-on',
      {
        prioritizers: [
          { score: 'Balance', weight: 1 },
          { score: 'storage/free', weight: -3 },
        ],
      },
      {
        numberOfClusters: 1,
        prioritizerPolicy: {
          mode: 'Exact',
          configurations: [
            { scoreCoordinate: { type: 'BuiltIn', builtIn: 'Balance' }, weight: 1 },
            {
              scoreCoordinate: { type: 'AddOn', addOn: { resourceName: 'storage', scoreName: 'free' } },
              weight: -3,
            },
          ],
        },
        tolerations: always,
      },
    ],
    [
      'adds tolerations to its own',
      { tolerations: [{ key: 'gpu', value: 'yes', effect: 'NoSelect' }] },
      {
        numberOfClusters: 1,
        tolerations: [...always, { key: 'gpu', operator: 'Equal', value: 'yes', effect: 'NoSelect' }],
      },
    ],
  ])('%s', (_, choice, spec) => {
    expect(toPlacement('web-01', choice, 'argocd')).toEqual({
      apiVersion: 'cluster.open-cluster-management.io/v1beta1',
      kind: 'Placement',
      metadata: { name: 'web-01', namespace: 'argocd', labels: { 'app.kubernetes.io/managed-by': 'drover' } },
      spec,
    })
  })
})

describe('chosen', () => {
  it.each<[string, { clusterName: string; reason: string }[], string | undefined]>([
    ['is nothing while there is no decision', [], undefined],
    ['is nothing while a decision names no cluster', [{ clusterName: '', reason: '' }], undefined],
    ['is the cluster of the decision', [{ clusterName: 'site-a', reason: '' }], 'site-a'],
  ])('%s', (_, decisions, cluster) => {
    expect(chosen(decisions)?.clusterName).toBe(cluster)
  })
})

describe('placementName', () => {
  it('differs between two runs that have one machine’s name after each other', () => {
    expect([placementName('web-01', 'aaaaaaaa'), placementName('web-01', 'bbbbbbbb')]).toEqual([
      'web-01-aaaaaa',
      'web-01-bbbbbb',
    ])
  })

  it('fits the label that OCM puts on its decisions', () => {
    expect(placementName('x'.repeat(63), 'aaaaaaaa')).toHaveLength(63)
  })
})
