import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { restoreFields } from '../../../local/clusters/kubevirt.ts'
import { type Restoring, restoringBy } from '../../../shared/kubevirt/restoring.ts'

/** The part of a cluster's OpenAPI document that is about restores, from KubeVirt's own definitions. */
const documentOf = (version: string) =>
  JSON.parse(readFileSync(new URL(`openapi/kubevirt-${version}.json`, import.meta.url), 'utf8'))
const name = 'io.kubevirt.snapshot.v1beta1.VirtualMachineRestore'
const fieldsOf = (version: string): Record<string, unknown> =>
  documentOf(version).components.schemas[name].properties.spec.properties

/** A document with another schema of restores, and with others beside it. */
const saying = (schema: unknown) => ({
  components: { schemas: { 'io.kubevirt.snapshot.v1beta1.VirtualMachineSnapshot': {}, [name]: schema } },
})
const kind = { 'x-kubernetes-group-version-kind': [{ kind: 'VirtualMachineRestore' }] }

describe('how disks are put back', () => {
  it.each<[version: string, restoring: Restoring]>([
    ['1.4', 'new disks'],
    ['1.5', 'new disks'],
    ['1.6', 'new disks'],
    ['1.7', 'in place'],
    ['1.9', 'in place'],
  ])('where KubeVirt is %s: %s', (version, restoring) => {
    expect(restoringBy(documentOf(version))).toBe(restoring)
  })

  it.each<[string, unknown, Restoring | undefined]>([
    ['names both fields', { ...kind, properties: { spec: { properties: fieldsOf('1.7') } } }, 'in place'],
    ['says nothing of its spec', { ...kind, 'x-kubernetes-preserve-unknown-fields': true }, 'new disks'],
    ['has a spec of no fields', { ...kind, properties: { spec: { type: 'object' } } }, 'new disks'],
    ['has fields that are none', { ...kind, properties: { spec: { properties: [] } } }, 'new disks'],
    ['is of another kind', { 'x-kubernetes-group-version-kind': [{ kind: 'VirtualMachineClone' }] }, undefined],
    ['is of no kind', {}, undefined],
  ])('where a schema %s', (_, schema, restoring) => {
    expect(restoringBy(saying(schema))).toBe(restoring)
  })

  it.each([undefined, null, 'no document', [], {}, { components: {} }, { components: { schemas: [] } }])(
    'is not known from %j',
    (document) => {
      expect(restoringBy(document)).toBeUndefined()
    },
  )

  it.each(['1.4', '1.5', '1.6', '1.7'])('is played as KubeVirt %s has it', (version) => {
    expect(Object.keys(restoreFields(version)).sort()).toEqual(Object.keys(fieldsOf(version)).sort())
  })
})
