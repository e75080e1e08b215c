import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openClusters } from '../../shared/clients/clusters.ts'
import { type FunctionName, functionNames } from '../../shared/lifecycles.ts'
import { type Asked, listening } from '../shared/clients/listening.ts'
import { kustomize } from './kustomize.ts'
import { find, type Rule } from './manifest.ts'

/**
 * What a function may do in clusters is what its clients ask of them, no more and no less. The clients are the real
 * ones, before an API server that writes down what it is asked.
 */

type Clients = ReturnType<typeof openClusters>
let directory: string
let server: Awaited<ReturnType<typeof listening>>
let clients: Clients

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rights-'))
  server = await listening(answer)
  const contexts = ['hub', 'site-a']
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: contexts.map((name) => ({
      name,
      cluster: { server: `${server.url}/${name}`, 'insecure-skip-tls-verify': true },
    })),
    users: [{ name: 'me', user: { token: 'none' } }],
    contexts: contexts.map((name) => ({ name, context: { cluster: name, user: 'me' } })),
  }
  const path = join(directory, 'kubeconfig')
  await writeFile(path, JSON.stringify(kubeconfig))
  clients = openClusters({ kubeconfig: path, hubContext: 'hub', argocdNamespace: 'argocd' })
})
afterAll(async () => {
  await server.close()
  await rm(directory, { recursive: true })
})

function answer({ method, path }: Asked): ReturnType<Parameters<typeof listening>[0]> {
  const headers = { 'content-type': 'application/json' }
  const status = { readyToUse: true, virtualMachineSnapshotContentName: 'web' }
  const object = { metadata: { name: 'web', annotations: {}, resourceVersion: '1' }, status }
  // A list that is empty, and a watch that ends at once: it was asked, and that is all.
  if (isOfAll(path)) return { status: 200, headers, body: { metadata: { resourceVersion: '1' }, items: [] } }
  return method === 'PATCH'
    ? // Still being refreshed, so that who waits for the end of it looks again.
      { status: 200, headers, body: { metadata: { annotations: { 'argocd.argoproj.io/refresh': 'normal' } } } }
    : { status: 200, headers, body: object }
}

const isOfAll = (path: string) =>
  /\/(namespaces\/[^/]+\/)?[a-z]+(\?|$)/.test(path) && !/\/(web|site-a)(\?|$)/.test(path)

/** `verb group/resource` of each request since the last time, by cluster. */
function asked(): Record<string, string[]> {
  const found: Record<string, Set<string>> = {}
  for (const { method, path } of server.asked.splice(0)) {
    const [, cluster = '', group = '', rest = ''] = /^\/([^/]+)\/(?:api|apis\/([^/]+))\/[^/]+\/(.*)$/.exec(path) ?? []
    const [resource = '', query = ''] = rest.replace(/^namespaces\/[^/]+\//, '').split('?')
    const verb = method === 'PATCH' ? 'patch' : resource.includes('/') ? 'get' : isWatch(`?${query}`) ? 'watch' : 'list'
    found[cluster] ??= new Set()
    found[cluster].add(`${verb} ${group}/${resource.split('/')[0]}`)
  }
  return Object.fromEntries(Object.entries(found).map(([cluster, verbs]) => [cluster, [...verbs].sort()]))
}

const machine = { cluster: 'site-a', namespace: 'shop', name: 'web' }

/** A signal that is aborted when what was asked says so. */
function signalWhen(holds: () => boolean): AbortSignal {
  const ending = new AbortController()
  const timer = setInterval(() => {
    if (!holds()) return
    clearInterval(timer)
    ending.abort()
  }, 20)
  return ending.signal
}

const isWatch = (path: string) => /[?&]watch=(true|1)/.test(path)
const plain = (path: string) => path.split('?')[0]

/** Follows states until each list that began it is followed by its watch. */
async function watched(states: (signal: AbortSignal) => AsyncIterable<unknown>): Promise<void> {
  const from = server.asked.length
  const signal = signalWhen(() => {
    const paths = server.asked.slice(from).map(({ path }) => path)
    const [lists, watches] = [false, true].map(
      (wanted) => new Set(paths.filter((path) => isWatch(path) === wanted).map(plain)),
    )
    return paths.length > 0 && lists?.size === watches?.size
  })
  for await (const _ of states(signal));
}

/** All that a function's steps do with its clients. */
const uses: Partial<Record<FunctionName, (clients: Clients) => Promise<unknown>>> = {
  locate: async ({ hub, machines, goldenImages }) => {
    await hub.managedCluster('site-a')
    await goldenImages.dataSource('site-a', 'shop', 'web')
    await watched((signal) => machines.watch(machine, signal))
    await machines.claims('site-a', 'shop', ['web'])
    await machines.volumesOf('site-a', 'shop', 'web')
    await machines.sizeIn('site-a', 'shop', 'web')
    await machines.waitsForPod('site-a', 'web')
    await goldenImages.version('site-a', 'shop', 'web')
  },
  place: async ({ hub, occupants }) => {
    await hub.managedCluster('site-a')
    await hub.refresh('web')
    await watched((signal) => hub.watchPlacement('argocd', 'web', signal))
    await occupants.of(machine)
  },
  verify: async ({ machines, goldenImages }) => {
    await watched((signal) => goldenImages.watch(machine, signal))
    await machines.refresh('web')
    const extras = ['snapshots', 'restores', 'migrations', 'jobs'] as const
    await watched((signal) => machines.watch(machine, signal, extras))
    await machines.claims('site-a', 'shop', ['web'])
    await machines.holders('site-a', 'shop', ['web'])
    await machines.lastWords('site-a', 'shop', 'web')
  },
  recover: async ({ machines, goldenImages }) => {
    await watched((signal) => goldenImages.watch(machine, signal))
    await machines.refresh('web')
    await machines.settle(
      'web',
      signalWhen(() => server.asked.some(({ method, path }) => method === 'GET' && /web$/.test(path))),
    )
    await watched((signal) => machines.watch(machine, signal))
  },
}

const objects = kustomize('broker')
const toVerbs = (rules: Rule[]) =>
  rules
    .flatMap(({ apiGroups, resources, verbs }) =>
      verbs.flatMap((verb) => apiGroups.flatMap((group) => resources.map((one) => `${verb} ${group}/${one}`))),
    )
    .sort()

/** The rules of all roles that are bound to a ServiceAccount. */
function granted(account: string): string[] {
  const bound = objects.filter(
    ({ kind, ...binding }) =>
      kind.endsWith('RoleBinding') &&
      binding.subjects.some(
        ({ name, namespace }: Record<string, string>) => name === account && namespace === 'drover',
      ),
  )
  return bound
    .flatMap((binding) => {
      const role = objects.find(
        ({ kind, metadata }) =>
          kind === binding.roleRef.kind &&
          metadata.name === binding.roleRef.name &&
          metadata.namespace === binding.metadata.namespace,
      )
      if (!role) throw new Error(`Cannot find ${binding.roleRef.kind} ${binding.roleRef.name}`)
      return toVerbs(role.rules)
    })
    .sort()
}

describe('on the hub', () => {
  it.each(functionNames)('%s may do what it does, and nothing else', async (name) => {
    server.asked.splice(0)
    await uses[name]?.(clients)
    expect(granted(name)).toEqual(asked()['hub'] ?? [])
  })

  it('rights hold in Argo CD’s namespace alone, but to look whether a cluster is there', () => {
    const roles = objects.filter(({ kind }) => kind.endsWith('Role'))
    expect(roles.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`).sort()).toEqual([
      'ClusterRole /drover-locate',
      'ClusterRole /drover-place',
      'Role argocd/drover-locate',
      'Role argocd/drover-place',
      'Role argocd/drover-recover',
      'Role argocd/drover-verify',
    ])
    for (const name of ['drover-locate', 'drover-place'])
      expect(toVerbs(find(roles, 'ClusterRole', name).rules)).toEqual([
        'get cluster.open-cluster-management.io/managedclusters',
      ])
  })

  it('what may be patched is held to the refresh by an admission policy for every account of Drover', () => {
    const policy = find(objects, 'ValidatingAdmissionPolicy', 'drover-refresh-only').spec
    expect(policy.failurePolicy).toBe('Fail')
    expect(policy.matchConstraints.resourceRules).toMatchObject([
      { apiGroups: ['argoproj.io'], operations: ['UPDATE'], resources: ['applications'] },
    ])
    expect(policy.matchConditions[0].expression).toContain("startsWith('system:serviceaccount:drover:')")
    const binding = find(objects, 'ValidatingAdmissionPolicyBinding', 'drover-refresh-only')
    expect(binding.spec).toEqual({ policyName: 'drover-refresh-only', validationActions: ['Deny'] })
  })
})

describe('on a managed cluster', () => {
  it('the reader may read what the functions read, and nothing else', async () => {
    server.asked.splice(0)
    for (const use of Object.values(uses)) await use(clients)
    const role = find(kustomize('broker/managed-cluster'), 'ClusterRole', 'drover-reader')
    expect(toVerbs(role.rules)).toEqual(asked()['site-a'])
  })

  it('nobody reads a Secret, and nothing is written', () => {
    const verbs = kustomize('broker/managed-cluster').flatMap(({ kind, rules }) =>
      kind === 'ClusterRole' ? toVerbs(rules) : [],
    )
    expect(verbs.length).toBeGreaterThan(0)
    const core = verbs.filter((one) => one.includes(' /'))
    expect(core).toEqual(['get /persistentvolumeclaims', 'list /pods'])
    expect(verbs.filter((one) => !/^(get|list|watch) /.test(one))).toEqual([])
  })
})
