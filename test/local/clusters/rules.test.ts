import { X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { duration } from '../../../local/clusters/api/table.ts'
import { threeWay } from '../../../local/clusters/apply.ts'
import { selfSigned } from '../../../local/clusters/certificate.ts'
import { choose } from '../../../local/clusters/controllers/ocm-choose.ts'
import type { KubeObject } from '../../../local/clusters/object.ts'
import { jsonPatch, mergePatch, removeIfThere } from '../../../local/clusters/patch.ts'
import { fieldAt, fieldTest, labelTest } from '../../../local/clusters/selector.ts'

const object = (labels: Record<string, string>): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'x', namespace: 'n', uid: 'u', resourceVersion: '1', creationTimestamp: '', labels },
})

it.each([
  ['', {}, true],
  ['a=1', { a: '1' }, true],
  ['a==1', { a: '2' }, false],
  ['a!=1', {}, true],
  ['a', { a: '' }, true],
  ['!a', { a: '' }, false],
  ['a in (1, 2),b', { a: '2', b: 'x' }, true],
  ['a notin (1)', { a: '1' }, false],
  ['example.org/a=1', { 'example.org/a': '1' }, true],
])('label selector %j on %j is %s', (text, labels, fits) => {
  expect(labelTest(text)(object(labels))).toBe(fits)
})

it.each([
  ['metadata.name=x', true],
  ['metadata.name!=x', false],
  ['metadata.namespace=n,metadata.name=x', true],
  ['status.phase=Running', false],
  ['status.phase=', true],
])('field selector %j is %s', (text, fits) => {
  expect(fieldTest(text)(object({}))).toBe(fits)
})

it.each<[string, unknown]>([
  ['a.b', 1],
  ['list.1', 'y'],
  ['conditions[Ready].status', 'True'],
  ['conditions[None].status', undefined],
  ['none.none', undefined],
])('path %j is read', (path, value) => {
  expect(fieldAt({ a: { b: 1 }, list: ['x', 'y'], conditions: [{ type: 'Ready', status: 'True' }] }, path)).toBe(value)
})

it.each<[unknown, unknown, unknown]>([
  [{ a: 1 }, { b: 2 }, { a: 1, b: 2 }],
  [{ a: 1 }, { a: null }, {}],
  [{ a: { b: 1, c: 2 } }, { a: { b: null } }, { a: { c: 2 } }],
  [{ a: [1] }, { a: [2] }, { a: [2] }],
  [1, { a: null }, {}],
])('merge patch of %j by %j is %j', (target, patch, result) => {
  expect(mergePatch(target, patch)).toEqual(result)
})

it('merge patch keeps a field named __proto__ a field', () => {
  const merged = mergePatch({}, JSON.parse('{"__proto__": {"polluted": true}}'))
  expect([Object.hasOwn(merged as object, '__proto__'), 'polluted' in {}]).toEqual([true, false])
})

it.each<[unknown, unknown]>([
  [[{ op: 'add', path: '/a~1b', value: 1 }], { list: [1, 2], 'a/b': 1 }],
  [[{ op: 'add', path: '/list/0', value: 0 }], { list: [0, 1, 2] }],
  [[{ op: 'add', path: '/list/-', value: 3 }], { list: [1, 2, 3] }],
  [[{ op: 'replace', path: '/list/1', value: 9 }], { list: [1, 9] }],
  [[{ op: 'remove', path: '/list/0' }], { list: [2] }],
  [[{ op: 'test', path: '/list/0', value: 1 }], { list: [1, 2] }],
  [[{ op: 'copy', from: '/list/0', path: '/one' }], { list: [1, 2], one: 1 }],
  [[{ op: 'move', from: '/list', path: '/moved' }], { moved: [1, 2] }],
])('JSON patch %j', (patch, result) => {
  expect(jsonPatch({ list: [1, 2] }, patch)).toEqual(result)
})

it('three-way apply removes what the last configuration had, and keeps what others wrote', () => {
  const last = JSON.stringify({ data: { a: '1', b: '2' } })
  const live = {
    ...object({}),
    data: { a: '1', b: '2', c: 'theirs' },
    metadata: { ...object({}).metadata, annotations: { 'kubectl.kubernetes.io/last-applied-configuration': last } },
  }
  expect(
    threeWay(live, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' }, data: { a: '3' } }),
  ).toMatchObject({ data: { a: '3', c: 'theirs' } })
  expect(
    threeWay(live, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' }, data: { a: '3' } })['data'],
  ).not.toHaveProperty('b')
})

it.each([
  [0, '0s'],
  [119_000, '119s'],
  [120_000, '2m'],
  [192_000, '3m12s'],
  [1_500_000, '25m'],
  [11_100_000, '3h5m'],
  [40 * 3_600_000, '40h'],
  [50 * 3_600_000, '2d'],
])('%i ms is said as %s', (milliseconds, text) => {
  expect(duration(milliseconds)).toBe(text)
})

describe('a certificate', () => {
  it('is its own authority, for loopback, and fits its key', () => {
    const { certificate, key } = selfSigned('test')
    const read = new X509Certificate(certificate)
    expect(read.verify(read.publicKey)).toBe(true)
    expect([
      read.ca,
      read.checkIP('127.0.0.1'),
      read.checkHost('localhost'),
      key.startsWith('-----BEGIN PRIVATE KEY'),
    ]).toEqual([true, '127.0.0.1', 'localhost', true])
  })
})

it('a toleration ends after its seconds', () => {
  const taint = (timeAdded: string) => ({
    apiVersion: '',
    kind: 'ManagedCluster',
    metadata: { ...object({}).metadata, name: 'a' },
    spec: { taints: [{ key: 'k', effect: 'NoSelect', timeAdded }] },
  })
  const placement = { ...object({}), spec: { tolerations: [{ key: 'k', operator: 'Exists', tolerationSeconds: 60 }] } }
  const names = (at: number) =>
    choose(placement, [taint(new Date(at).toISOString())], { before: [], scores: [], load: new Map() })
  expect([names(Date.now()).length, names(Date.now() - 120_000).length]).toEqual([1, 0])
})

it.each<[string, string, object]>([
  ['a field', '/data/a', { data: { 'b/c': 2 }, list: [{ x: 1 }, { x: 2 }] }],
  ['a field with a slash in its name', '/data/b~1c', { data: { a: 1 }, list: [{ x: 1 }, { x: 2 }] }],
  ['an item of a list', '/list/0', { data: { a: 1, 'b/c': 2 }, list: [{ x: 2 }] }],
  ['a field of an item', '/list/1/x', { data: { a: 1, 'b/c': 2 }, list: [{ x: 1 }, {}] }],
  ['what is not there', '/data/none', { data: { a: 1, 'b/c': 2 }, list: [{ x: 1 }, { x: 2 }] }],
  ['what has no parent', '/none/of/it', { data: { a: 1, 'b/c': 2 }, list: [{ x: 1 }, { x: 2 }] }],
  ['what every object has', '/data/toString', { data: { a: 1, 'b/c': 2 }, list: [{ x: 1 }, { x: 2 }] }],
  ['the whole', '', { data: { a: 1, 'b/c': 2 }, list: [{ x: 1 }, { x: 2 }] }],
])('a pointer that is ignored takes out %s', (_, path, left) => {
  const document = { data: { a: 1, 'b/c': 2 }, list: [{ x: 1 }, { x: 2 }] }
  removeIfThere(document, path)
  expect(document).toEqual(left)
})
