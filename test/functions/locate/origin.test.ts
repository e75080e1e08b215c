import { describe, expect, it } from 'vitest'
import { toClone } from '../../../functions/locate/origin.ts'
import { rootDiskName } from '../../../shared/kubevirt/manifest.ts'
import type { Definition } from '../../../shared/schema/definition.ts'
import { databaseServer } from '../../shared/kubevirt/definitions.ts'
import { changing } from '../changes.ts'

const old = { registry: `docker://registry.example.com/x@sha256:${'a'.repeat(64)}` }
const next = { dataSource: 'rhel10', namespace: 'golden' }
const taken = { name: 'db-01-clean', purpose: 'asked', run: 'r', taken: '2030-01-01T00:00:00.000Z' } as const
const clone = changing('clone', { snapshot: 'clean', as: { name: 'db-02' } }, 'locate')

/** A machine that was repaved since its snapshot was taken, of the root disk that it had then. */
function repaved(oldRoots: Definition['oldRoots']): Definition {
  const snapshots = [{ ...taken, disks: ['db-01-root-old'] }]
  const rootDisk = { size: '30Gi', name: 'db-01-root-new', version: 'pvc golden/rhel10-1' }
  return databaseServer({ image: next, rootDisk, snapshots, ...(oldRoots && { oldRoots }) })
}

describe('the image of a machine that is made from a snapshot', () => {
  it('is what the root disk of that snapshot was made from', () => {
    const { machine, origin } = toClone(clone, repaved([{ name: 'db-01-root-old', image: old, size: '30Gi' }]))
    expect(machine?.image).toEqual(old)
    expect(origin).not.toHaveProperty('version')
  })

  it('is that of the machine, with its version, where it runs from that root disk still', () => {
    const definition = repaved([])
    const snapshots = [{ ...taken, disks: [rootDiskName(definition)] }]
    const { machine, origin } = toClone(clone, { ...definition, snapshots })
    expect([machine?.image, origin?.version]).toEqual([next, 'pvc golden/rhel10-1'])
  })

  it('is none that a repave could take for current, where that root disk is gone', () => {
    const { origin } = toClone(clone, repaved(undefined))
    expect(origin?.version).toBe('snapshot db-01-clean')
  })
})
