import { describe, expect, it } from 'vitest'
import { isKept, type Manifest } from '../../../shared/kubevirt/manifest.ts'
import { render } from '../../../shared/kubevirt/render.ts'
import type { Definition } from '../../../shared/schema/definition.ts'
import { askedSnapshot, databaseServer, rootPatch } from './definitions.ts'

const machine = { apiGroup: 'kubevirt.io', kind: 'VirtualMachine', name: 'db-01' }
const metadata = (name: string) => ({
  name,
  namespace: 'shop',
  labels: expect.objectContaining({ 'drover.dev/machine': 'db-01' }),
})

function only(kind: string, changes: Partial<Definition>): Manifest {
  const found = render(databaseServer(changes)).filter((one) => one.kind === kind)
  if (found.length !== 1 || !found[0]) throw new Error(`${found.length} of kind ${kind}`)
  return found[0]
}

describe('what is done with a machine is an object of KubeVirt', () => {
  it('that takes a snapshot, goes with the machine, and gives up after five minutes', () => {
    const snapshots = [askedSnapshot('db-01-clean')]
    expect(only('VirtualMachineSnapshot', { snapshots })).toEqual({
      apiVersion: 'snapshot.kubevirt.io/v1beta1',
      kind: 'VirtualMachineSnapshot',
      metadata: metadata('db-01-clean'),
      spec: {
        source: machine,
        deletionPolicy: 'Delete',
        failureDeadline: '5m0s',
      },
    })
  })

  it.each([
    ['asked', false],
    ['undo', false],
    ['final', true],
  ] as const)('of which a snapshot that is %s outlives its machine: %s', (purpose, outlives) => {
    const snapshots = [{ ...askedSnapshot('db-01-one'), purpose }]
    expect(isKept(only('VirtualMachineSnapshot', { snapshots }).metadata)).toBe(outlives)
  })

  it('that restores in place, with claims that keep their names and stay nobody else’s', () => {
    const restore = { name: 'db-01-back', snapshot: 'db-01-clean' }
    expect(only('VirtualMachineRestore', { restore })).toEqual({
      apiVersion: 'snapshot.kubevirt.io/v1beta1',
      kind: 'VirtualMachineRestore',
      metadata: metadata('db-01-back'),
      spec: {
        target: machine,
        virtualMachineSnapshotName: 'db-01-clean',
        targetReadinessPolicy: 'FailImmediate',
        volumeRestorePolicy: 'InPlace',
        volumeOwnershipPolicy: 'None',
      },
    })
  })

  it('that Argo CD makes anew where another of its name is there', () => {
    const restore = { name: 'db-01-back', snapshot: 'db-01-clean', replaces: true as const }
    expect(only('VirtualMachineRestore', { restore }).metadata.annotations).toEqual({
      'argocd.argoproj.io/sync-options': 'Force=true,Replace=true',
    })
  })

  it('that patches its disk in a pod with Drover’s labels alone: Kubernetes keeps some for itself', () => {
    const labels = { tier: 'web', 'job-name': 'mine', 'batch.kubernetes.io/controller-uid': 'mine' }
    const { metadata, spec } = only('Job', { labels, patch: rootPatch() })
    expect(metadata.labels).toMatchObject(labels)
    expect(spec).toHaveProperty('template.metadata.labels', {
      'app.kubernetes.io/managed-by': 'drover',
      'drover.dev/machine': 'db-01',
      'drover.dev/template': expect.any(String),
    })
  })

  it('that moves it to another node', () => {
    expect(only('VirtualMachineInstanceMigration', { migration: { name: 'db-01-move' } })).toEqual({
      apiVersion: 'kubevirt.io/v1',
      kind: 'VirtualMachineInstanceMigration',
      metadata: metadata('db-01-move'),
      spec: { vmiName: 'db-01' },
    })
  })
})
