import { afterAll, beforeAll, expect, it } from 'vitest'
import type { NewObject } from '../../../local/clusters/object.ts'
import { fieldAt } from '../../../local/clusters/selector.ts'
import type { Store } from '../../../local/clusters/store.ts'
import { namespace, startFleet, until, untilGone } from './harness.ts'

let fleet: Awaited<ReturnType<typeof startFleet>>
let store: Store

beforeAll(async () => {
  fleet = await startFleet({ seed: { 'site-a': [namespace('shop')] } })
  store = fleet.clusters.store('site-a')
})
afterAll(() => fleet.end())

const wanted = (name: string, spec: object): NewObject => ({
  apiVersion: 'external-secrets.io/v1',
  kind: 'ExternalSecret',
  metadata: { name, namespace: 'shop' },
  spec: {
    secretStoreRef: { kind: 'ClusterSecretStore', name: 'vault' },
    data: [{ secretKey: 'password', remoteRef: { key: 'x' } }],
    ...spec,
  },
})
const ready = (name: string, reason = 'SecretSynced') =>
  until(store, 'ExternalSecret', `shop/${name}`, { 'status.conditions[Ready].reason': reason })
const text = (name: string, key: string) =>
  Buffer.from(String(fieldAt(store.get('Secret', 'shop', name), `data.${key}`)), 'base64').toString()

it('an ExternalSecret without a template makes a Secret of its values', async () => {
  store.create(wanted('plain', {}))
  await ready('plain')
  expect(text('plain', 'password')).toBe('simulated')
})

it.each([
  ['a value', 'pw: {{ .password }}', 'pw: simulated'],
  ['a value without spaces', 'pw: {{.password}}', 'pw: simulated'],
  ['quoted text', 'a {{ "{{ds.meta_data.hostname}}" }} b', 'a {{ds.meta_data.hostname}} b'],
  ['raw text', 'a {{ `{{ x }}` }} b', 'a {{ x }} b'],
  [
    'a value written as JSON',
    'pw: "{{ slice (toJson .password) 1 (sub (len (toJson .password)) 1) }}"',
    'pw: "simulated"',
  ],
  ['a value written as XML', '<Value>{{ .password | html }}</Value>', '<Value>simulated</Value>'],
  ['raw braces', 'a {{ `{{` }} b {{ .password }}', 'a {{ b simulated'],
  ['a value that is not there', '{{ .none }}', '<no value>'],
])('a template has %s filled in', async (what, template, filled) => {
  const name = `template-${what.toLowerCase().replaceAll(/\W+/g, '-')}`
  store.create(wanted(name, { target: { name: `${name}-made`, template: { data: { userdata: template } } } }))
  await ready(name)
  expect(text(`${name}-made`, 'userdata')).toBe(filled)
})

it('a missing store is an error, until the store comes', async () => {
  store.create(wanted('storeless', { secretStoreRef: { name: 'absent' } }))
  await ready('storeless', 'SecretSyncedError')
  store.create({
    apiVersion: 'external-secrets.io/v1',
    kind: 'SecretStore',
    metadata: { name: 'absent', namespace: 'shop' },
    spec: {},
  })
  await ready('storeless')
})

it('every store that a value comes from has to be there', async () => {
  const data = [{ secretKey: 'password', remoteRef: { key: 'x' }, sourceRef: { storeRef: { name: 'other' } } }]
  store.create(wanted('two-stores', { data }))
  const secret = await ready('two-stores', 'SecretSyncedError')
  expect(fieldAt(secret, 'status.conditions[Ready].message')).toBe(
    'could not get secret data from provider: SecretStore "other" not found',
  )
})

it('a Secret goes with its ExternalSecret, unless it is orphaned', async () => {
  store.create(wanted('owner', {}))
  store.create(wanted('orphan', { target: { creationPolicy: 'Orphan' } }))
  await Promise.all([ready('owner'), ready('orphan')])
  for (const name of ['owner', 'orphan']) store.remove('ExternalSecret', 'shop', name)
  await untilGone(store, 'Secret', 'shop/owner')
  expect(store.get('Secret', 'shop', 'orphan')).toBeDefined()
})

it('a Secret that somebody deleted is made again, and follows a changed template', async () => {
  store.create(wanted('again', {}))
  await ready('again')
  store.remove('Secret', 'shop', 'again')
  await until(store, 'Secret', 'shop/again', { type: 'Opaque' })
  const live = store.get('ExternalSecret', 'shop', 'again')
  if (live)
    store.modify(live, (current) => ({
      ...current,
      spec: wanted('again', { target: { template: { data: { a: 'b' } } } })['spec'],
    }))
  await until(store, 'Secret', 'shop/again', { 'data.a': Buffer.from('b').toString('base64') })
})

it('a DNSEndpoint is observed', async () => {
  store.create({
    apiVersion: 'externaldns.k8s.io/v1alpha1',
    kind: 'DNSEndpoint',
    metadata: { name: 'demo', namespace: 'shop' },
    spec: { endpoints: [] },
  })
  await until(store, 'DNSEndpoint', 'shop/demo', { 'status.observedGeneration': 1 })
})
