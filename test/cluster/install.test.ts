import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { type FunctionName, functionNames } from '../../shared/lifecycles.ts'
import { parseYaml } from '../../shared/yaml.ts'
import { kustomize } from '../broker-yaml/kustomize.ts'
import { find, type Manifest } from '../broker-yaml/manifest.ts'
import { asAccount } from './account.ts'
import { type Api, openApi } from './api.ts'
import { until } from './platform.ts'
import { stubFunctions } from './stub-functions.ts'

/** The YAML of `broker/` and `triggers/` before a real API server and Knative's real controllers. */

const plane = inject('controlPlane') ?? {
  kubeconfig: '',
  kubectl: '',
  ingress: '',
  repositories: { folder: '', url: '' },
  directory: '',
}
const root = new URL('../..', import.meta.url).pathname
const run = promisify(execFile)
const kubectl = async (...args: string[]) =>
  (await run(plane.kubectl, ['--kubeconfig', plane.kubeconfig, ...args], { cwd: root, maxBuffer: 1 << 26 })).stdout
const lines = (text: string) => text.trim().split('\n')

let api: Api
beforeAll(() => {
  api = openApi(plane.kubeconfig)
})
afterAll(() => api.close())

const installed = ['broker', 'broker/managed-cluster', 'triggers']
/** What would change or disturb what is installed here. */
const others = [
  'test/broker-yaml/on-kafka',
  'test/broker-yaml/with-oidc',
  'test/broker-yaml/on-kafka-with-oidc',
  'broker/argocd',
  'examples/install/hub',
  'examples/install/argocd',
]

describe('kubectl apply -k', () => {
  it.each(installed)('%s changes nothing the second time', async (folder) => {
    await kubectl('apply', '-k', folder)
    const said = lines(await kubectl('apply', '-k', folder))
    expect(said).toHaveLength(kustomize(folder).length)
    expect(said.filter((line) => !line.endsWith(' unchanged'))).toEqual([])
  })

  it.each(others)('%s is taken by the API server', async (folder) => {
    const said = lines(await kubectl('apply', '--dry-run=server', '-k', folder))
    expect(said).toHaveLength(kustomize(folder).length)
  })

  it.each([...installed, ...others])('%s makes what the tests without a cluster take it to make', async (folder) => {
    const made = (await kubectl('kustomize', folder)).split(/^---$/m).map((text) => parseYaml(text) as Manifest)
    expect(sorted(made)).toEqual(sorted(kustomize(folder)))
  })
})

const nameOf = ({ apiVersion, kind, metadata }: Manifest) =>
  `${apiVersion} ${kind} ${metadata.namespace}/${metadata.name}`
/** As the API server would be sent them: without what is undefined, or was taken away. */
const sorted = (objects: Manifest[]) =>
  (JSON.parse(JSON.stringify(objects)) as Manifest[]).sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))

describe('Knative', () => {
  let functions: Awaited<ReturnType<typeof stubFunctions>>
  beforeAll(async () => {
    functions = await stubFunctions(api)
  })
  afterAll(() => functions.close())

  it('finds the Broker and each Trigger ready', async () => {
    const ready = async (kind: string) =>
      (await api.list(kind, 'drover')).filter((object) =>
        (object as { status?: { conditions?: { type: string; status: string }[] } }).status?.conditions?.some(
          ({ type, status }) => type === 'Ready' && status === 'True',
        ),
      )
    const all = async () => {
      const [brokers, triggers] = await Promise.all([ready('Broker'), ready('Trigger')])
      return brokers.length === 1 && triggers.length >= functionNames.length
    }
    // Its controller asks less and less often for a Service that had no address yet.
    await until('the Broker and ten Triggers are ready', all, 150)
  }, 180_000)
})

describe('a function’s Pod', () => {
  const service = find(kustomize('broker'), 'Service', 'recover')
  const { containerConcurrency, timeoutSeconds, responseStartTimeoutSeconds, ...spec } = service.spec.template.spec
  const create = (containers: object[]) =>
    api.call('POST', '/api/v1/namespaces/drover/pods?dryRun=All', {
      body: {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'recover-1', namespace: 'drover' },
        spec: { ...spec, containers },
      },
    })

  it('is one that Kubernetes takes in a namespace of restricted Pods', async () => {
    await expect(create(spec.containers)).resolves.toMatchObject({ kind: 'Pod' })
  })

  it('would be refused if it could become root', async () => {
    const [{ securityContext: _, ...open }] = spec.containers
    await expect(create([open])).rejects.toThrow(/violates PodSecurity .*restricted/)
  })
})

interface Question {
  group: string
  resource: string
  namespace?: string
  verb: string
}

const verbs = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection']
/** What a thief of a function's token might look for. */
const places: [group: string, resource: string, namespace?: string][] = [
  ['argoproj.io', 'applications', 'argocd'],
  ['argoproj.io', 'applications', 'default'],
  ['argoproj.io', 'appprojects', 'argocd'],
  ['argoproj.io', 'applicationsets', 'argocd'],
  ['cluster.open-cluster-management.io', 'placements', 'argocd'],
  ['cluster.open-cluster-management.io', 'placementdecisions', 'argocd'],
  ['cluster.open-cluster-management.io', 'placements', 'default'],
  ['cluster.open-cluster-management.io', 'managedclusters'],
  ['cluster.open-cluster-management.io', 'managedclustersets'],
  ['kubevirt.io', 'virtualmachines', 'shop'],
  ['kubevirt.io', 'virtualmachineinstances', 'shop'],
  ['kubevirt.io', 'virtualmachineinstancemigrations', 'shop'],
  ['snapshot.kubevirt.io', 'virtualmachinesnapshots', 'shop'],
  ['snapshot.kubevirt.io', 'virtualmachinesnapshotcontents', 'shop'],
  ['snapshot.kubevirt.io', 'virtualmachinerestores', 'shop'],
  ['subresources.kubevirt.io', 'virtualmachines/start', 'shop'],
  ['subresources.kubevirt.io', 'virtualmachineinstances/console', 'shop'],
  ['cdi.kubevirt.io', 'datavolumes', 'shop'],
  ['cdi.kubevirt.io', 'datasources', 'shop'],
  ['cdi.kubevirt.io', 'dataimportcrons', 'shop'],
  ['batch', 'jobs', 'shop'],
  ['storage.k8s.io', 'storageclasses'],
  ['external-secrets.io', 'externalsecrets', 'shop'],
  ['', 'persistentvolumeclaims', 'shop'],
  ['', 'secrets', 'argocd'],
  ['', 'secrets', 'drover'],
  ['', 'secrets', 'shop'],
  ['', 'configmaps', 'argocd'],
  ['', 'configmaps', 'drover'],
  ['', 'pods', 'drover'],
  ['', 'pods', 'shop'],
  ['', 'pods/exec', 'shop'],
  ['', 'namespaces'],
  ['', 'nodes'],
  ['', 'serviceaccounts', 'drover'],
  ['', 'serviceaccounts/token', 'drover'],
  ['serving.knative.dev', 'services', 'drover'],
  ['eventing.knative.dev', 'brokers', 'drover'],
  ['eventing.knative.dev', 'triggers', 'drover'],
  ['rbac.authorization.k8s.io', 'roles', 'argocd'],
  ['rbac.authorization.k8s.io', 'rolebindings', 'argocd'],
  ['rbac.authorization.k8s.io', 'clusterrolebindings'],
  ['admissionregistration.k8s.io', 'validatingadmissionpolicybindings'],
]

/** All that may be done, of all that was thought of; the rest is denied. */
const allowed: Record<FunctionName | 'drover-reader', string[]> = {
  validate: [],
  locate: ['list applications argocd', 'watch applications argocd', 'get managedclusters'],
  allocate: [],
  place: [
    'get applications argocd',
    'patch applications argocd',
    'list placements argocd',
    'watch placements argocd',
    'list placementdecisions argocd',
    'watch placementdecisions argocd',
    'get managedclusters',
  ],
  register: [],
  build: [],
  commit: [],
  verify: [
    'get applications argocd',
    'list applications argocd',
    'watch applications argocd',
    'patch applications argocd',
  ],
  notify: [],
  recover: [
    'get applications argocd',
    'list applications argocd',
    'watch applications argocd',
    'patch applications argocd',
  ],
  'drover-reader': [
    'get virtualmachines shop',
    'list virtualmachines shop',
    'watch virtualmachines shop',
    'list virtualmachineinstances shop',
    'watch virtualmachineinstances shop',
    'list datavolumes shop',
    'watch datavolumes shop',
    'get datasources shop',
    'list datasources shop',
    'watch datasources shop',
    'list dataimportcrons shop',
    'watch dataimportcrons shop',
    'get persistentvolumeclaims shop',
    'list pods drover',
    'list pods shop',
    'list jobs shop',
    'watch jobs shop',
    'get virtualmachinesnapshots shop',
    'list virtualmachinesnapshots shop',
    'watch virtualmachinesnapshots shop',
    'get virtualmachinesnapshotcontents shop',
    'get storageclasses',
    'list virtualmachinerestores shop',
    'watch virtualmachinerestores shop',
    'list virtualmachineinstancemigrations shop',
    'watch virtualmachineinstancemigrations shop',
    'list externalsecrets shop',
    'watch externalsecrets shop',
  ],
}

describe('the rights', () => {
  it.each(Object.entries(allowed))('of %s are those that it uses, of 344 that were asked for', async (account, may) => {
    const questions = places.flatMap(([group, resource, namespace]) =>
      verbs.map((verb): Question => ({ group, resource, verb, ...(namespace && { namespace }) })),
    )
    expect(questions).toHaveLength(344)
    const answers = await Promise.all(
      questions.map(async (question) => ((await mayDo(account, question)) ? [question] : [])),
    )
    const granted = answers.flat().map(({ verb, resource, namespace }) => [verb, resource, namespace].join(' ').trim())
    expect(granted.sort()).toEqual([...may].sort())
  })
})

async function mayDo(account: string, { resource: whole, ...question }: Question): Promise<boolean> {
  const [resource, subresource] = whole.split('/')
  const namespace = account === 'drover-reader' ? account : 'drover'
  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: {
      user: `system:serviceaccount:${namespace}:${account}`,
      groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
      resourceAttributes: { ...question, resource, ...(subresource && { subresource }) },
    },
  }
  const answer = await api.call('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', { body: review })
  return (answer as { status: { allowed: boolean } }).status.allowed
}

describe('an Application', () => {
  const path = '/apis/argoproj.io/v1alpha1/namespaces/argocd/applications'
  const refresh = { 'argocd.argoproj.io/refresh': 'normal' }
  const application = {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: {
      name: 'install-test',
      namespace: 'argocd',
      labels: { team: 'shop' },
      annotations: { note: 'ours' },
    },
    spec: {
      project: 'nowhere',
      source: { repoURL: 'https://git.example.com/none.git', path: '.' },
      destination: { name: 'none' },
    },
  }
  beforeAll(async () => void (await api.apply(application)))
  afterAll(() => api.remove('Application', 'argocd', 'install-test'))

  const patchBy = async (name: FunctionName, change: object, type = 'application/merge-patch+json') =>
    (await asAccount(api, plane, name)).ask('PATCH', `${path}/install-test`, change, type)

  it.each(['place', 'verify', 'recover'] as const)('is refreshed by %s', async (name) => {
    expect((await patchBy(name, { metadata: { annotations: refresh } })).status).toBe(200)
  })

  it.each<[string, object]>([
    ['its project', { spec: { project: 'default' } }],
    ['its source', { spec: { source: { repoURL: 'https://evil.example.com' } } }],
    ['its labels', { metadata: { labels: { team: 'evil' } } }],
    ['a label that was not there', { metadata: { labels: { more: 'evil' } } }],
    ['another annotation', { metadata: { annotations: { note: 'evil' } } }],
    [
      'an annotation that was not there',
      { metadata: { annotations: { 'argocd.argoproj.io/deletion-approved': 'x' } } },
    ],
    ['an annotation away', { metadata: { annotations: { note: null } } }],
    ['its finalizers', { metadata: { finalizers: ['resources-finalizer.argocd.argoproj.io'] } }],
    ['its owners', { metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: 'x' }] } }],
    ['an operation', { operation: { sync: { revision: 'evil', prune: true } } }],
    ['its status', { status: { reconciledAt: '2026-01-01T00:00:00Z' } }],
  ])('cannot have %s changed along with a refresh', async (_, change) => {
    const { metadata = {}, ...rest } = change as { metadata?: { annotations?: object } }
    const body = { ...rest, metadata: { ...metadata, annotations: { ...metadata.annotations, ...refresh } } }
    const { status, message } = await patchBy('recover', body)
    expect(status).toBe(422)
    expect(message).toContain("ValidatingAdmissionPolicy 'drover-refresh-only'")
    expect(await api.get('Application', 'argocd', 'install-test')).toMatchObject({
      ...application,
      metadata: application.metadata,
    })
  })

  it.each([
    ['hard', 'hard'],
    ['taken away', null],
  ])('cannot have a refresh that is %s', async (_, value) => {
    const { status } = await patchBy('recover', { metadata: { annotations: { 'argocd.argoproj.io/refresh': value } } })
    expect(status).toBe(422)
  })

  it('cannot be made by an apply that would create it, nor deleted', async () => {
    const account = await asAccount(api, plane, 'recover')
    const other = { ...application, metadata: { name: 'install-test-2', namespace: 'argocd' } }
    const apply = `${path}/install-test-2?fieldManager=x&force=true`
    expect((await account.ask('PATCH', apply, other, 'application/apply-patch+yaml')).status).toBe(403)
    expect((await account.ask('DELETE', `${path}/install-test`)).status).toBe(403)
  })

  it('of the fleet repository belongs to Drover’s project, once broker/argocd is applied', async () => {
    await kubectl('apply', '-f', 'broker/argocd/machines-only.yaml')
    try {
      const marks: Record<string, object> = {
        annotation: {
          annotations: { 'argocd.argoproj.io/tracking-id': 'drover-hub:argoproj.io/Application:argocd/x' },
        },
        label: { labels: { 'app.kubernetes.io/instance': 'drover-hub' } },
      }
      const make = (mark: object, project: string) =>
        api.call('POST', `${path}?dryRun=All`, {
          body: {
            ...application,
            metadata: { name: 'x', namespace: 'argocd', ...mark },
            spec: { ...application.spec, project },
          },
        })
      // A policy takes a moment to be in force.
      await until('the policy holds', () =>
        make(marks['annotation'] ?? {}, 'default').then(
          () => false,
          () => true,
        ),
      )
      for (const mark of Object.values(marks)) {
        await expect(make(mark, 'default')).rejects.toThrow('must belong to the project')
        await expect(make(mark, 'drover')).resolves.toMatchObject({ kind: 'Application' })
      }
      await expect(make({}, 'default')).resolves.toMatchObject({ kind: 'Application' })
    } finally {
      await kubectl('delete', '-f', 'broker/argocd/machines-only.yaml')
    }
  })
})
