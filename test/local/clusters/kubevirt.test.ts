import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startClusters } from '../../../local/clusters/clusters.ts'
import { namespace, startFleet } from './harness.ts'

/** Clusters that play different KubeVirts. */

const versions = ['1.4', '1.5', '1.6', '1.7', '1.8']
let fleet: Awaited<ReturnType<typeof startFleet>>
beforeAll(async () => {
  const clusters = versions.map((kubevirt) => ({ name: `site-${kubevirt}`, kubevirt }))
  const seed = Object.fromEntries(clusters.map(({ name }) => [name, [namespace('shop')]]))
  fleet = await startFleet({ clusters, seed })
})
afterAll(() => fleet.end())

const spec = {
  target: { apiGroup: 'kubevirt.io', kind: 'VirtualMachine', name: 'web-01' },
  virtualMachineSnapshotName: 'web-01-clean',
  targetReadinessPolicy: 'FailImmediate',
  volumeRestorePolicy: 'InPlace',
  volumeOwnershipPolicy: 'None',
}

describe('a restore', () => {
  it.each([
    ['1.4', ['targetReadinessPolicy', 'volumeOwnershipPolicy', 'volumeRestorePolicy']],
    ['1.5', ['volumeOwnershipPolicy', 'volumeRestorePolicy']],
    ['1.6', ['volumeOwnershipPolicy']],
    ['1.7', []],
    ['1.8', []],
  ])('loses on KubeVirt %s what that does not know, without a word: %j', (version, lost) => {
    const made = fleet.clusters.store(`site-${version}`).create({
      apiVersion: 'snapshot.kubevirt.io/v1beta1',
      kind: 'VirtualMachineRestore',
      metadata: { name: 'undo', namespace: 'shop' },
      spec,
    })
    const kept = Object.keys(made['spec'] as object)
    expect(
      Object.keys(spec)
        .filter((name) => !kept.includes(name))
        .sort(),
    ).toEqual(lost)
  })

  it('is not played of a KubeVirt that there is not', async () => {
    const starting = startClusters({
      repository: { url: 'http://nowhere', path: fleet.folder },
      clusters: [{ name: 'site-x', kubevirt: '0.9' }],
    })
    await expect(starting).rejects.toThrow('Cannot play KubeVirt 0.9: wanted one of 1.4, 1.5, 1.6, 1.7, 1.8')
  })
})

describe('a managed cluster', () => {
  it('says which KubeVirt it has', () => {
    const cluster = fleet.clusters.store('hub').get('ManagedCluster', '', 'site-1.5')
    const claims = (cluster?.['status'] as { clusterClaims: object[] } | undefined)?.clusterClaims
    expect(claims).toContainEqual({ name: 'kubevirt.drover.dev/version', value: 'v1.5.0' })
  })
})
