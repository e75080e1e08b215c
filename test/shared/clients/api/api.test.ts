import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  CoreV1Api,
  CustomObjectsApi,
  type KubernetesObject,
  KubernetesObjectApi,
  PatchStrategy,
  setHeaderOptions,
} from '@kubernetes/client-node'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { type Access, openAccess } from '../../../../shared/clients/access.ts'
import { openClusters } from '../../../../shared/clients/clusters.ts'
import { type Source, watchObjects } from '../../../../shared/clients/watch.ts'
import { type ApiServer, apiServer } from './api-server.ts'
import { knowKinds } from './kinds.ts'
import { type Line, layLine } from './line.ts'
import { someone } from './someone.ts'

/** Drover's clients on an API server, over a line that fails. It is simulated, or a real one where there is one. */

/** For what a simulated API server does not have, or what takes long. */
const onReal = inject('controlPlane') ? it : () => undefined

const namespace = `drover-api-test-${process.pid}`
/** Each test has objects of its own, by their label and the beginning of their name. */
let name = ''
let number = 0
const folder = mkdtempSync(join(tmpdir(), 'api-test-'))
let server: ApiServer
let forgetKinds = async () => {}
let line: Line
let ending: AbortController

beforeAll(async () => {
  server = await apiServer()
  if (server.isReal) forgetKinds = await knowKinds(server.admin())
  await server
    .admin()
    .makeApiClient(CoreV1Api)
    .createNamespace({ body: { metadata: { name: namespace } } })
}, 60_000)
afterAll(async () => {
  await server.admin().makeApiClient(CoreV1Api).deleteNamespace({ name: namespace })
  await forgetKinds()
  await server.end()
  rmSync(folder, { recursive: true })
}, 60_000)
beforeEach(async () => {
  number += 1
  name = `test-${number}`
  line = await layLine(() => server.admin())
  line.validTokens.add('first')
  ending = new AbortController()
})
afterEach(async () => {
  ending.abort()
  await line.close()
})

/** The kubeconfig of somebody who comes over the line. */
function writeKubeconfig(user: object): string {
  const path = join(folder, 'kubeconfig')
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'line', cluster: line.cluster }],
    users: [{ name: 'someone', user }],
    contexts: [{ name: 'hub', context: { cluster: 'line', user: 'someone' } }],
  }
  writeFileSync(path, JSON.stringify(config))
  return path
}

const clients = (user: object = { token: 'first' }) =>
  openClusters({ kubeconfig: writeKubeconfig(user), hubContext: 'hub', argocdNamespace: namespace })

const access = (user: object = { token: 'first' }): Access =>
  openAccess({ kubeconfig: writeKubeconfig(user), hubContext: 'hub' })('hub')

/** What is watched: projects of Argo CD, which no controller touches. */
const projects = (from = access()): Source => ({
  access: from,
  group: 'argoproj.io',
  version: 'v1alpha1',
  plural: 'appprojects',
  namespace,
  labelSelector: `of=${name}`,
})

const api = () => KubernetesObjectApi.makeApiClient(server.admin())
function project(which: string, description = '', labels: Record<string, string> = { of: name }) {
  const metadata = { name: `${name}-${which}`, namespace, labels }
  return { apiVersion: 'argoproj.io/v1alpha1', kind: 'AppProject', metadata, spec: { description } }
}
const make = (which: string, labels?: Record<string, string>) => api().create(project(which, 'new', labels))
const change = (which: string, description: string) =>
  api().patch(project(which, description), undefined, undefined, undefined, undefined, PatchStrategy.MergePatch)
const remove = (which: string) => api().delete(project(which))

/** Each object as `name: description`, by name. */
const shown = (objects: KubernetesObject[]) =>
  objects
    .map((one) => `${one.metadata?.name}: ${(one as { spec?: { description?: string } }).spec?.description}`)
    .sort()

/** What is there, by a list of the administrator's own. */
async function there(): Promise<string[]> {
  const { items } = await api().list('argoproj.io/v1alpha1', 'AppProject', namespace)
  return shown(items.filter(({ metadata }) => metadata?.labels?.['of'] === name))
}

/** Goes on until what is shown is what is there. */
async function untilTrue(watching: ReturnType<typeof watchObjects>): Promise<void> {
  const wanted = await there()
  for (;;) {
    const { done, value } = await watching.next()
    if (done) throw new Error('it ended')
    if (JSON.stringify(shown(value.objects.flat())) === JSON.stringify(wanted)) return
  }
}

const start = (source = projects()) => watchObjects([source], ending.signal)
const asked = (verb: string) => line.asked.filter((one) => one.verb === verb && one.path.endsWith('/appprojects'))
const lists = () => asked('GET').filter(({ status }) => status === 200).length
async function untilWatched(count: number): Promise<void> {
  while (asked('watch').filter(({ status }) => status === 200).length < count) await sleep(20)
}

describe('a watch', () => {
  it('sees what is made, changed, deleted and made again, however fast', async () => {
    const watching = start()
    await watching.next()
    await untilWatched(1)
    const one = async (at: number) => {
      await make(`${at}`)
      await change(`${at}`, 'changed')
      if (at % 2 === 0) await remove(`${at}`)
      if (at % 4 === 0) await make(`${at}`)
    }
    await Promise.all(Array.from({ length: 12 }, (_, at) => one(at)))
    await untilTrue(watching)
    expect(await there()).toHaveLength(9)
    expect(lists()).toBe(1)
  })

  it('goes on where it was when the line is cut, and misses nothing that happened meanwhile', async () => {
    await make('a')
    await make('b')
    const watching = start()
    await watching.next()
    await untilWatched(1)
    line.down = true
    line.cut()
    await change('a', 'changed')
    await remove('b')
    await make('c')
    await sleep(1_200)
    line.down = false
    await untilTrue(watching)
    await change('c', 'changed')
    await untilTrue(watching)
    expect(lists()).toBe(1)
  })

  it('begins anew with a list where the server says 410 Gone', async () => {
    const watching = start()
    await watching.next()
    await untilWatched(1)
    let isOld = true
    line.onWatch = (query) => {
      if (isOld) query.set('resourceVersion', '1')
      isOld = false
    }
    line.cut()
    await make('a')
    await untilTrue(watching)
    await untilWatched(2)
    await change('a', 'changed')
    await untilTrue(watching)
    expect(lists()).toBe(2)
  })

  it('takes bookmarks for positions, so that it can go on after a long time without a change of its own', async () => {
    const watching = start()
    const first = await watching.next()
    await untilWatched(1)
    line.onWatch = (query) => query.set('timeoutSeconds', '4')
    line.cut()
    await untilWatched(2)
    await make('of-others', { of: 'others' })
    await untilWatched(3)
    const positions = asked('watch').map(({ query }) => Number(query.get('resourceVersion')))
    expect(positions[2]).toBeGreaterThan(positions[0] ?? 0)
    expect((await watching.next()).value).toEqual(first.value)
    expect(lists()).toBe(1)
  })

  it('goes on with a new token from its file once the old one has expired', async () => {
    writeFileSync(join(folder, 'token'), 'first\n')
    const watching = start(projects(access({ tokenFile: 'token' })))
    await watching.next()
    await untilWatched(1)
    line.validTokens.delete('first')
    line.cut()
    while (!line.asked.some(({ status }) => status === 401)) await sleep(20)
    await make('a')
    line.validTokens.add('second')
    writeFileSync(join(folder, 'token'), 'second\n')
    await untilTrue(watching)
  })

  onReal(
    'goes on with a new ServiceAccount token once the cluster takes the old one no longer',
    async () => {
      const tokens = await someone(server.admin(), namespace)
      writeFileSync(join(folder, 'token'), tokens.old)
      const watching = start(projects(access({ tokenFile: 'token' })))
      await watching.next()
      await untilWatched(1)
      await tokens.end()
      // An API server remembers for ten seconds whom it knew.
      while (!line.asked.some(({ status }) => status === 401)) {
        line.cut()
        await sleep(500)
      }
      await make('a')
      writeFileSync(join(folder, 'token'), tokens.new)
      await untilTrue(watching)
    },
    60_000,
  )

  it('goes on with a new kubeconfig once the token in the old one has expired', async () => {
    const watching = start()
    await watching.next()
    await untilWatched(1)
    line.validTokens.delete('first')
    line.validTokens.add('second')
    writeKubeconfig({ token: 'second' })
    line.cut()
    await make('a')
    await untilTrue(watching)
  })

  it('goes on by itself when the API server is killed and started again', async ({ skip }) => {
    if (!server.restart) return skip()
    await make('a')
    const watching = start()
    await watching.next()
    await untilWatched(1)
    await server.restart()
    await make('b')
    await untilTrue(watching)
    await change('b', 'changed')
    await untilTrue(watching)
  }, 90_000)

  onReal(
    'does not stay on a line that has gone silent',
    async () => {
      const watching = start()
      await watching.next()
      await untilWatched(1)
      line.mute()
      await make('a')
      await untilTrue(watching)
    },
    60_000,
  )
})

describe('a request', () => {
  const application = (name: string) => ({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name, namespace, annotations: { 'example.com/kept': 'yes' } },
    spec: {
      project: 'default',
      source: { repoURL: 'https://git.example.com/x.git', path: '.' },
      destination: { name: 'nowhere', namespace: 'shop' },
    },
  })

  it('asks for a refresh by a patch that changes one annotation, and forgives that there is no Application', async () => {
    const before = await api().create(application('web-01'))
    const { hub } = clients()
    await hub.refresh('web-01')
    await hub.refresh('nothing-of-this-name')
    const after = (await api().read(before as never)) as ReturnType<typeof application>
    expect(after.metadata.annotations).toMatchObject({
      'example.com/kept': 'yes',
      'argocd.argoproj.io/refresh': 'normal',
    })
    expect(after.spec).toEqual((before as unknown as ReturnType<typeof application>).spec)
    expect(line.asked.map(({ verb, status }) => [verb, status])).toEqual([
      ['GET', 200],
      ['PATCH', 200],
      ['GET', 404],
    ])
  })

  it.each([
    ['a token file', { tokenFile: 'token' }],
    ['a kubeconfig', {}],
  ])('is answered at once after the token of %s was replaced', async (_, user) => {
    const replace = (token: string) => {
      writeFileSync(join(folder, 'token'), token)
      writeKubeconfig('tokenFile' in user ? user : { token })
    }
    replace('first')
    const { hub } = clients('tokenFile' in user ? user : { token: 'first' })
    await hub.refresh('nothing-of-this-name')
    line.validTokens.clear()
    await expect(hub.refresh('nothing-of-this-name')).rejects.toMatchObject({
      reason: 'broken',
      message: 'Cannot ask cluster "hub": it answered 401',
    })
    line.validTokens.add('second')
    replace('second')
    await hub.refresh('nothing-of-this-name')
  })

  it('fails in a sentence while the server cannot be reached, and is answered afterwards', async () => {
    const { hub } = clients()
    line.down = true
    await expect(hub.refresh('web-02')).rejects.toThrow('Cannot ask cluster "hub": it does not answer')
    line.down = false
    await hub.refresh('web-02')
  })
})

it('a Placement is shown from before it is there until its decision', async () => {
  const states = clients().hub.watchPlacement(namespace, 'web-01', ending.signal)[Symbol.asyncIterator]()
  expect(await states.next()).toEqual({ done: false, value: undefined })
  const ocm = { apiVersion: 'cluster.open-cluster-management.io/v1beta1' }
  // Where OCM runs it is to leave this one alone.
  const annotations = { 'cluster.open-cluster-management.io/experimental-scheduling-disable': 'true' }
  await api().create({
    ...ocm,
    kind: 'Placement',
    metadata: { name: 'web-01', namespace, annotations },
    spec: {},
  } as object)
  const labels = { 'cluster.open-cluster-management.io/placement': 'web-01' }
  await api().create({ ...ocm, kind: 'PlacementDecision', metadata: { name: 'by-hand', namespace, labels } } as object)
  const status = { decisions: [{ clusterName: 'site-a', reason: '' }] }
  const what = { group: 'cluster.open-cluster-management.io', version: 'v1beta1', plural: 'placementdecisions' }
  await server
    .admin()
    .makeApiClient(CustomObjectsApi)
    .patchNamespacedCustomObjectStatus(
      { ...what, namespace, name: 'by-hand', body: { status } },
      setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
    )
  for (;;) {
    const { done, value } = await states.next()
    expect(done).toBe(false)
    if (value && value.decisions.length > 0) return expect(value.decisions).toEqual(status.decisions)
  }
})
