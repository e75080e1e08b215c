import { once } from 'node:events'
import { connect, constants } from 'node:http2'
import {
  ApiException,
  CoreV1Api,
  CustomObjectsApi,
  type KubernetesObject,
  PatchStrategy,
  VersionApi,
  Watch,
} from '@kubernetes/client-node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Clusters } from '../../../local/clusters/clusters.ts'
import type { KubeObject } from '../../../local/clusters/object.ts'
import type { Store } from '../../../local/clusters/store.ts'
import {
  configMap,
  configOf,
  dataVolume,
  forClient,
  golden,
  machine,
  namespace,
  objectApi,
  startFleet,
  until,
  untilGone,
} from './harness.ts'

let fleet: Awaited<ReturnType<typeof startFleet>>
let clusters: Clusters
let store: Store

beforeAll(async () => {
  fleet = await startFleet({ seed: { 'site-a': [namespace('shop')] } })
  clusters = fleet.clusters
  store = clusters.store('site-a')
})
afterAll(() => fleet.end())

/** Calls the API as it is, with the right token unless told otherwise. */
async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const config = configOf(clusters, 'site-a')
  const { request } = await import('node:https')
  const server = config.getCurrentCluster()
  const token = config.getCurrentUser()?.token
  const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body)
  return new Promise<{ code: number; body: unknown }>((resolve, reject) => {
    const ca = Buffer.from(server?.caData ?? '', 'base64')
    const length = text === undefined ? {} : { 'content-length': String(Buffer.byteLength(text)) }
    const options = {
      method,
      ca,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...length, ...headers },
    }
    const sent = request(`${server?.server}${path}`, options, (response) => {
      let answer = ''
      response.setEncoding('utf8').on('data', (part) => {
        answer += part
      })
      response.on('end', () =>
        resolve({
          code: response.statusCode ?? 0,
          body: answer.startsWith('{') && !answer.includes('}\n{') ? JSON.parse(answer) : answer,
        }),
      )
    })
    sent.on('error', reject).end(text)
  })
}

const maps = '/api/v1/namespaces/shop/configmaps'
const volumes = '/apis/cdi.kubevirt.io/v1beta1/namespaces/shop/datavolumes'

describe('the API', () => {
  it('speaks HTTP/2, and goes on with the other streams of a connection when some are ended', async () => {
    const config = configOf(clusters, 'site-a')
    const server = config.getCurrentCluster()
    const ca = Buffer.from(server?.caData ?? '', 'base64')
    const session = connect(server?.server ?? '', { ca })
    const ask = (path: string) =>
      session.request({ ':path': path, authorization: `Bearer ${config.getCurrentUser()?.token}` })
    try {
      for (let round = 0; round < 15; round += 1) {
        const watches = Array.from({ length: 100 }, () => ask(`${maps}?watch=true`))
        await Promise.all(watches.map((watch) => once(watch, 'response')))
        for (const watch of watches) watch.close(constants.NGHTTP2_CANCEL)
      }
      const list = ask(maps).setEncoding('utf8')
      let answer = ''
      for await (const part of list) answer += part
      expect([session.alpnProtocol, JSON.parse(answer).kind]).toEqual(['h2', 'ConfigMapList'])
    } finally {
      session.destroy()
    }
  })
})

describe('the API refuses', () => {
  beforeAll(() => {
    store.create(configMap('there'))
    store.create(dataVolume('disk'))
  })
  const blank = dataVolume('disk')
  it.each<[string, string, string, unknown, number, string, string, Record<string, string>?]>([
    ['a missing object', 'GET', `${maps}/none`, undefined, 404, 'NotFound', 'configmaps "none" not found'],
    [
      'a missing custom resource',
      'GET',
      `${volumes}/none`,
      undefined,
      404,
      'NotFound',
      'datavolumes.cdi.kubevirt.io "none" not found',
    ],
    [
      'to delete what is not there',
      'DELETE',
      `${maps}/none`,
      undefined,
      404,
      'NotFound',
      'configmaps "none" not found',
    ],
    [
      'a name that is taken',
      'POST',
      maps,
      configMap('there'),
      409,
      'AlreadyExists',
      'configmaps "there" already exists',
    ],
    [
      'a missing namespace',
      'POST',
      '/api/v1/namespaces/none/configmaps',
      { ...configMap('x'), metadata: { name: 'x' } },
      404,
      'NotFound',
      'namespaces "none" not found',
    ],
    [
      'another namespace than the path says',
      'POST',
      maps,
      { ...configMap('x'), metadata: { name: 'x', namespace: 'other' } },
      400,
      'BadRequest',
      'the namespace of the provided object does not match the namespace sent on the request',
    ],
    [
      'another kind than the path says',
      'POST',
      maps,
      machine('x'),
      400,
      'BadRequest',
      'VirtualMachine in version "kubevirt.io/v1" cannot be handled as a ConfigMap: expected v1',
    ],
    [
      'an old version',
      'PUT',
      `${maps}/there`,
      configMap('there', { resourceVersion: '1' }),
      409,
      'Conflict',
      'Operation cannot be fulfilled on configmaps "there": the object has been modified; please apply your changes to the latest version and try again',
    ],
    [
      'a custom resource without its version',
      'PUT',
      `${volumes}/disk`,
      blank,
      422,
      'Invalid',
      'DataVolume.cdi.kubevirt.io "disk" is invalid: metadata.resourceVersion: Invalid value: 0x0: must be specified for an update',
    ],
    [
      'a bad name',
      'POST',
      maps,
      configMap('No_Name'),
      422,
      'Invalid',
      `ConfigMap "No_Name" is invalid: metadata.name: Invalid value: "No_Name": a lowercase RFC 1123 subdomain`,
    ],
    [
      'a changed DataVolume',
      'PATCH',
      `${volumes}/disk`,
      { spec: { source: { http: { url: 'x' } } } },
      422,
      'Invalid',
      'admission webhook "datavolume-validate.cdi.kubevirt.io" denied the request: Cannot update DataVolume Spec',
      { 'content-type': 'application/merge-patch+json' },
    ],
    [
      'labels that are no text',
      'POST',
      maps,
      configMap('x', { labels: { a: 1 } }),
      400,
      'BadRequest',
      'ConfigMap cannot be read: metadata.labels: wanted a map of strings',
    ],
    [
      'annotations that are no map',
      'PATCH',
      `${maps}/there`,
      { metadata: { annotations: 'x' } },
      400,
      'BadRequest',
      'metadata.annotations: wanted a map of strings',
      { 'content-type': 'application/merge-patch+json' },
    ],
    [
      'owners that are none',
      'POST',
      maps,
      configMap('x', { ownerReferences: [{}] }),
      400,
      'BadRequest',
      'metadata.ownerReferences: wanted a list of owners',
    ],
    [
      'a name that is no text',
      'POST',
      maps,
      configMap('x', { name: 5 }),
      400,
      'BadRequest',
      'metadata.name is no string',
    ],
    ['a body that is no JSON', 'POST', maps, '{', 400, 'BadRequest', 'error decoding the body'],
    [
      'a body that is too large',
      'POST',
      maps,
      `"${'x'.repeat(3 * 1024 * 1024)}"`,
      413,
      'RequestEntityTooLarge',
      'Request entity too large: limit is 3145728',
    ],
    [
      'an unknown patch',
      'PATCH',
      `${maps}/there`,
      {},
      415,
      'UnsupportedMediaType',
      'the body of the request was in an unknown format',
    ],
    [
      'an apply without a manager',
      'PATCH',
      `${maps}/there`,
      configMap('there'),
      400,
      'BadRequest',
      'fieldManager: Required value',
      { 'content-type': 'application/apply-patch+yaml' },
    ],
    [
      'a JSON patch that does not fit',
      'PATCH',
      `${maps}/there`,
      [{ op: 'remove', path: '/data/none' }],
      400,
      'BadRequest',
      'the path /data/none does not exist',
      { 'content-type': 'application/json-patch+json' },
    ],
    [
      'a bad selector',
      'GET',
      `${maps}?labelSelector=%21%21`,
      undefined,
      400,
      'BadRequest',
      'unable to parse requirement',
    ],
    ['a stranger', 'GET', maps, undefined, 401, 'Unauthorized', 'Unauthorized', { authorization: 'Bearer wrong' }],
    [
      'a stale precondition',
      'DELETE',
      `${maps}/there`,
      { preconditions: { uid: 'other' } },
      409,
      'Conflict',
      'Precondition failed: UID in precondition: other',
    ],
  ])('%s', async (_what, method, path, body, code, reason, message, headers) => {
    const answer = await call(method, path, body, headers)
    expect(answer.body).toMatchObject({
      kind: 'Status',
      status: 'Failure',
      code,
      reason,
      message: expect.stringContaining(message),
    })
    expect(answer.code).toBe(code)
  })

  it('an unknown kind with plain text, as where its definition is missing', async () => {
    expect(await call('GET', '/apis/example.org/v1/namespaces/shop/things')).toEqual({
      code: 404,
      body: '404 page not found\n',
    })
  })

  it.each(['/apis/%', '//', '/api/v1/namespaces/shop/%zz', '/metrics'])('the path %j with 404', async (path) => {
    expect(await call('GET', path)).toMatchObject({ code: 404 })
  })

  it('new content in a namespace that is being deleted', async () => {
    store.create(namespace('leaving'))
    store.create({ ...configMap('held', { namespace: 'leaving', finalizers: ['example.org/hold'] }) })
    await call('DELETE', '/api/v1/namespaces/leaving')
    const answer = await call('POST', '/api/v1/namespaces/leaving/configmaps', { metadata: { name: 'late' } })
    expect(answer).toMatchObject({
      code: 403,
      body: { message: expect.stringContaining('because it is being terminated') },
    })
  })
})

describe('the real client', () => {
  const read = (name: string) =>
    objectApi(clusters, 'site-a').read<KubernetesObject & { data?: unknown }>({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace: 'shop' },
    })

  it('creates, reads, replaces and deletes by KubernetesObjectApi', async () => {
    const api = objectApi(clusters, 'site-a')
    const created = await api.create(forClient(configMap('whole')))
    expect(created.metadata).toMatchObject({
      name: 'whole',
      uid: expect.any(String),
      resourceVersion: expect.stringMatching(/^\d+$/),
    })
    await api.replace(forClient({ ...created, data: { b: '2' } }))
    expect((await read('whole')).data).toEqual({ b: '2' })
    await api.delete(forClient(configMap('whole')))
    await expect(read('whole')).rejects.toThrow(ApiException)
  })

  it.each<[string, PatchStrategy, object, object]>([
    ['merge patch', PatchStrategy.MergePatch, { data: { a: null, b: '2' } }, { b: '2' }],
    ['strategic merge patch', PatchStrategy.StrategicMergePatch, { data: { b: '2' } }, { a: '1', b: '2' }],
    ['server-side apply', PatchStrategy.ServerSideApply, { data: { a: '3' } }, { a: '3' }],
  ])('changes an object by %s', async (_what, strategy, change, data) => {
    const { apiVersion, kind } = configMap('patched')
    if (!store.get('ConfigMap', 'shop', 'patched')) store.create(configMap('patched'))
    else store.update(configMap('patched'))
    const object = { apiVersion, kind, metadata: { name: 'patched', namespace: 'shop' }, ...change }
    await objectApi(clusters, 'site-a').patch(object, undefined, undefined, 'test', true, strategy)
    expect((await read('patched')).data).toEqual(data)
  })

  it('applies as two managers: what one of them drops goes, what the other has stays', async () => {
    const apply = (manager: string, data: object) =>
      objectApi(clusters, 'site-a').patch(
        forClient({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'shared', namespace: 'shop' }, data }),
        undefined,
        undefined,
        manager,
        true,
        PatchStrategy.ServerSideApply,
      )
    await apply('one', { a: '1', b: '2' })
    await apply('two', { c: '3' })
    await apply('one', { a: '1' })
    expect((await read('shared')).data).toEqual({ a: '1', c: '3' })
  })

  it('lists custom objects by label and by field, in pages', async () => {
    for (const [name, tier] of [
      ['one', 'gold'],
      ['two', 'gold'],
      ['three', 'tin'],
    ] as const)
      store.create({ ...dataVolume(name), metadata: { name, namespace: 'shop', labels: { tier } } })
    const api = configOf(clusters, 'site-a').makeApiClient(CustomObjectsApi)
    const place = { group: 'cdi.kubevirt.io', version: 'v1beta1', namespace: 'shop', plural: 'datavolumes' }
    const names = async (query: object) =>
      (await api.listNamespacedCustomObject({ ...place, ...query })).items.map((item: KubeObject) => item.metadata.name)
    expect(await names({ labelSelector: 'tier=gold' })).toEqual(['one', 'two'])
    expect(await names({ labelSelector: 'tier in (tin,lead)' })).toEqual(['three'])
    expect(await names({ labelSelector: 'tier,tier!=gold' })).toEqual(['three'])
    expect(await names({ fieldSelector: 'metadata.name=two' })).toEqual(['two'])
    const first = await api.listNamespacedCustomObject({ ...place, labelSelector: 'tier', limit: 2 })
    expect(first.metadata).toMatchObject({ remainingItemCount: 1 })
    expect(
      await names({ labelSelector: 'tier', limit: 2, _continue: first.metadata._continue ?? first.metadata.continue }),
    ).toEqual(['two'])
  })

  it('reads the version and the namespaces', async () => {
    const config = configOf(clusters, 'site-a')
    expect((await config.makeApiClient(VersionApi).getCode()).gitVersion).toMatch(/^v1\./)
    const { items } = await config.makeApiClient(CoreV1Api).listNamespace()
    expect(items.find(({ metadata }) => metadata?.name === 'shop')?.status?.phase).toBe('Active')
  })

  it('changes status by its own path alone, and generation with the spec alone', async () => {
    store.create(machine('still', { spec: { runStrategy: 'Halted' }, mac: '02:00:00:00:01:01' }))
    await until(store, 'VirtualMachine', 'shop/still', { 'status.printableStatus': 'Stopped' })
    const path = '/apis/kubevirt.io/v1/namespaces/shop/virtualmachines/still'
    const merge = { 'content-type': 'application/merge-patch+json' }
    const main = await call(
      'PATCH',
      path,
      { status: { printableStatus: 'Running' }, metadata: { labels: { a: 'b' } } },
      merge,
    )
    expect(main.body).toMatchObject({
      metadata: { generation: 1, labels: { a: 'b' } },
      status: { printableStatus: 'Stopped' },
    })
    const sub = await call('PATCH', `${path}/status`, { status: { note: 'x' }, spec: { runStrategy: 'Always' } }, merge)
    expect(sub.body).toMatchObject({
      metadata: { generation: 1 },
      spec: { runStrategy: 'Halted' },
      status: { note: 'x' },
    })
    const spec = await call('PATCH', path, { spec: { runStrategy: 'Manual' } }, merge)
    expect(spec.body).toMatchObject({ metadata: { generation: 2 } })
  })
})

describe('deletion', () => {
  const named = (name: string) => store.get('ConfigMap', 'shop', name)

  it('waits for finalizers and is done when the last one goes', async () => {
    store.create(configMap('held', { finalizers: ['example.org/hold'] }))
    const marked = await call('DELETE', `${maps}/held`)
    expect(marked.body).toMatchObject({ metadata: { deletionTimestamp: expect.stringMatching(/^\d{4}-/) } })
    await call('PATCH', `${maps}/held`, [{ op: 'remove', path: '/metadata/finalizers/0' }], {
      'content-type': 'application/json-patch+json',
    })
    expect(named('held')).toBeUndefined()
  })

  const owned = (name: string, owner: KubeObject) =>
    configMap(name, {
      ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: owner.metadata.name, uid: owner.metadata.uid }],
    })

  it.each([
    ['Background', undefined],
    ['Foreground', undefined],
    ['Orphan', { data: { a: '1' } }],
  ])('with propagation %s does so with what the object owns', async (propagationPolicy, left) => {
    const owner = store.create(configMap('owner'))
    store.create(owned('owned', owner))
    await call('DELETE', `${maps}/owner`, { propagationPolicy })
    await untilGone(store, 'ConfigMap', 'shop/owner')
    if (!left) await untilGone(store, 'ConfigMap', 'shop/owned')
    else {
      expect(named('owned')).toMatchObject(left)
      expect(named('owned')?.metadata.ownerReferences).toEqual([])
      store.remove('ConfigMap', 'shop', 'owned')
    }
  })

  it('of one of two owners leaves what they own', async () => {
    const [one, two] = [store.create(configMap('one')), store.create(configMap('two'))]
    const references = [one, two].flatMap((owner) => owned('x', owner).metadata.ownerReferences ?? [])
    store.create(configMap('both', { ownerReferences: references }))
    store.remove('ConfigMap', 'shop', 'one')
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
    expect(named('both')).toBeDefined()
    store.remove('ConfigMap', 'shop', 'two')
    await untilGone(store, 'ConfigMap', 'shop/both')
  })

  it('of a namespace deletes all that is in it first', async () => {
    store.create(namespace('short'))
    store.create(configMap('inside', { namespace: 'short' }))
    const answer = await call('DELETE', '/api/v1/namespaces/short')
    expect(answer.code).toBe(200)
    await untilGone(store, 'Namespace', 'short')
    expect(store.get('ConfigMap', 'short', 'inside')).toBeUndefined()
  })

  it('of a collection takes those that fit', async () => {
    store.create(configMap('tmp-1', { labels: { tmp: 'yes' } }))
    await call('DELETE', `${maps}?labelSelector=tmp%3Dyes`)
    expect(named('tmp-1')).toBeUndefined()
    expect(named('there')).toBeDefined()
  })
})

describe('a watch', () => {
  /** Collects events until one fits; answers them as type and name. */
  async function watched(
    query: Record<string, string | number | boolean>,
    act: () => void,
    last: (type: string) => boolean,
  ) {
    const events: string[] = []
    const watch = new Watch(configOf(clusters, 'site-a'))
    return new Promise<string[]>((resolve, reject) => {
      const seen = (type: string, object: { metadata?: { name?: string }; code?: number }) => {
        events.push(`${type} ${object.metadata?.name ?? object.code ?? ''}`.trim())
        if (!last(type)) return
        resolve(events)
        void abort.then((controller) => controller.abort())
      }
      const abort = watch.watch(maps, query, seen, (error) => error && reject(error))
      abort.then(act, reject)
    })
  }
  const toggled = (name: string) => {
    store.create(configMap(name, { labels: { watched: name } }))
    store.update(configMap(name, { labels: { watched: 'no' } }))
    store.remove('ConfigMap', 'shop', name)
  }

  it('goes on after the version it was given', async () => {
    const resourceVersion = String(store.version)
    toggled('resumed')
    const events = await watched(
      { resourceVersion },
      () => undefined,
      (type) => type === 'DELETED',
    )
    expect(events).toEqual(['ADDED resumed', 'MODIFIED resumed', 'DELETED resumed'])
  })

  it('with a selector says DELETED of an object that no longer fits', async () => {
    const query = { resourceVersion: String(store.version), labelSelector: 'watched=picky' }
    expect(
      await watched(
        query,
        () => toggled('picky'),
        (type) => type === 'DELETED',
      ),
    ).toEqual(['ADDED picky', 'DELETED picky'])
  })

  it('without a version begins with what is there', async () => {
    const events = await watched(
      { fieldSelector: 'metadata.name=there' },
      () => undefined,
      (type) => type === 'ADDED',
    )
    expect(events).toEqual(['ADDED there'])
  })

  it('ends with a bookmark where those are allowed', async () => {
    const query = { resourceVersion: String(store.version), allowWatchBookmarks: true, timeoutSeconds: 0.01 }
    expect(
      await watched(
        query,
        () => undefined,
        (type) => type === 'BOOKMARK',
      ),
    ).toEqual(['BOOKMARK'])
  })

  it('from a version that is forgotten says 410', async () => {
    for (let n = 0; n < 25_000; n += 1) store.setStatus(store.get('Namespace', '', 'shop') as KubeObject, { n })
    expect(
      await watched(
        { resourceVersion: '2' },
        () => undefined,
        (type) => type === 'ERROR',
      ),
    ).toEqual(['ERROR 410'])
  })
})

describe('an answer for kubectl', () => {
  it('prints machines as KubeVirt does', async () => {
    const accept = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' }
    const { body } = await call('GET', '/apis/kubevirt.io/v1/virtualmachines', undefined, accept)
    const titles = ['Name', 'Age', 'Status', 'Ready'].map((name) => ({ name }))
    const rows = [{ cells: ['still', expect.stringMatching(/^\d+s$/), 'Stopped', 'False'] }]
    expect(body).toMatchObject({ columnDefinitions: titles, rows })
  })

  it('names the resources of a group', async () => {
    const { body } = await call('GET', '/apis/kubevirt.io/v1')
    const vm = {
      ...{ name: 'virtualmachines', namespaced: true, kind: 'VirtualMachine' },
      ...{ shortNames: ['vm', 'vms'], categories: ['all'] },
    }
    expect(body).toMatchObject({ resources: expect.arrayContaining([expect.objectContaining(vm)]) })
  })
})

it('a clone of a golden image is a DataVolume like any other to the client', async () => {
  const api = objectApi(clusters, 'site-a')
  const created = await api.create(forClient(dataVolume('cloned', golden)))
  expect(created.metadata?.uid).toBeDefined()
  await until(store, 'DataVolume', 'shop/cloned', { 'status.phase': 'Succeeded' })
})
