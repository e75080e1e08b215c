import { type Answer, found, hidden, missing } from '../../../scripts/preflight/answer.ts'
import { type Area, look, type Names } from '../../../scripts/preflight/area.ts'
import type { Asker } from '../../../scripts/preflight/ask.ts'
import { functionNames } from '../../../shared/lifecycles.ts'

/** Clusters that lack nothing, as what they answer to each path; tests change one thing of them. */

export type Cluster = Record<string, unknown>

/** In the place of an answer: whoever asks may not know it. */
export const forbidden = Symbol('forbidden')

export const names: Names = {
  namespace: 'drover',
  argocd: 'argocd',
  project: 'drover',
  rootApplication: 'drover-hub',
  reader: { namespace: 'drover-reader', name: 'drover-reader' },
  contexts: ['site-a', 'site-b'],
}

/** What an area finds in a cluster, as lines of state, sentence and what to do. */
export async function linesOf<Facts>(area: Area<Facts>, cluster: Cluster, changed: Partial<Names> = {}) {
  const findings = await look(area, askerOf(cluster), { ...names, ...changed })
  return findings.map(({ state, says, todo }) => `${state}: ${says}${todo === undefined ? '' : ` -> ${todo}`}`)
}

export function askerOf(cluster: Cluster): Asker {
  const answer = <T>(path: string): Answer<T> => {
    const value = cluster[path]
    if (value === forbidden) return hidden('you may not')
    return value === undefined ? missing : found(value as T)
  }
  return {
    get: async (path) => answer(path),
    review: async <T>(path: string, body: object) => {
      const review = answer<(body: object) => boolean>(path)
      return review.state === 'found' ? found({ status: { allowed: review.value(body) } } as T) : review
    },
  }
}

export const ready = { status: { conditions: [{ type: 'Ready', status: 'True' }] } }
export const notReady = (message: string) => ({ status: { conditions: [{ type: 'Ready', status: 'False', message }] } })
export const named = (name: string, more: object = {}) => ({ metadata: { name, namespace: 'drover' }, ...more })
export const list = (...items: unknown[]) => ({ items })

/** A group that is served in one version with these resources. */
export const served = (group: string, version: string, ...resources: string[]): Cluster => ({
  [`/apis/${group}`]: { versions: [{ version }] },
  [`/apis/${group}/${version}`]: { resources: resources.map((name) => ({ name, kind: kinds[name] ?? name })) },
})
const kinds: Record<string, string> = { inmemorychannels: 'InMemoryChannel' }

export const versioned = (version: string) => ({
  items: [{ metadata: { name: 'x', labels: { 'app.kubernetes.io/version': version } } }],
})
const image = (text: string) => ({
  metadata: { name: 'argocd-application-controller' },
  spec: { template: { spec: { serviceAccountName: 'argocd-application-controller', containers: [{ image: text }] } } },
})
export const argocdImage = (tag: string) => list(image(`quay.io/argoproj/argocd${tag}`))
export const definition = (retry: object) => ({
  spec: {
    versions: [
      {
        schema: {
          openAPIV3Schema: {
            properties: { spec: { properties: { syncPolicy: { properties: { retry: { properties: retry } } } } } },
          },
        },
      },
    ],
  },
})

const ocm = 'cluster.open-cluster-management.io'
export const managedCluster = (name: string, more: object = {}) => ({
  metadata: { name, labels: { [`${ocm}/clusterset`]: 'default' } },
  spec: { hubAcceptsClient: true },
  status: { conditions: [{ type: 'ManagedClusterConditionAvailable', status: 'True' }] },
  ...more,
})
export const clusterSecret = (name: string, server = `https://${name}.example.com`) => ({
  data: { name: encoded(name), server: encoded(server), config: encoded('{"bearerToken":"hunter2"}') },
})
export const encoded = (text: string) => Buffer.from(text).toString('base64')

export const broker = (changes: { annotations?: object; spec?: object; status?: object } = {}) => ({
  metadata: {
    name: 'default',
    namespace: 'drover',
    annotations: {
      'eventing.knative.dev/broker.class': 'MTChannelBasedBroker',
      'messaging.knative.dev/async-handler': 'true',
      ...changes.annotations,
    },
  },
  spec: { delivery: { deadLetterSink: { ref: { name: 'recover' } } }, ...changes.spec },
  status: { ...ready.status, address: { url: brokerUrl }, ...changes.status },
})
export const brokerUrl = 'http://broker-ingress.knative-eventing.svc.cluster.local/drover/default'

/** A function as `broker/` installs it. */
export function service(name: string, changes: object = {}) {
  const file = (variable: string, path: string) => ({ name: variable, value: `/etc/drover/${path}` })
  const mounted = ['signing-keys', 'git', 'clusters']
  const container = {
    env: [
      { name: 'FUNCTION', value: name },
      file('DROVER_SIGNING_KEYS_FILE', 'signing-keys/keys'),
      file('DROVER_GIT_TOKEN_FILE', 'git/token'),
      file('KUBECONFIG', 'clusters/kubeconfig'),
    ],
    envFrom: [{ configMapRef: { name: 'drover-config' } }],
    volumeMounts: mounted.map((volume) => ({ name: volume, mountPath: `/etc/drover/${volume}` })),
  }
  const volumes = mounted.map((volume) => ({ name: volume, secret: { secretName: `drover-${volume}` } }))
  return named(name, { spec: { template: { spec: { containers: [container], volumes } } }, ...ready, ...changes })
}

const functionsPath = '/apis/serving.knative.dev/v1/namespaces/drover/services'
const core = (namespace: string, what: string) => `/api/v1/namespaces/${namespace}/${what}`
const cluster1 = (path: string) => `/apis/${ocm}/${path}`
const secretsOfClusters = core('argocd', 'secrets?labelSelector=argocd.argoproj.io%2Fsecret-type%3Dcluster')

/** The paths that tests change, by what is there. */
export const at = {
  eventingFlags: core('knative-eventing', 'configmaps/config-features'),
  servingFlags: core('knative-serving', 'configmaps/config-features'),
  eventingDeployments: '/apis/apps/v1/namespaces/knative-eventing/deployments',
  argocdDeployments: '/apis/apps/v1/namespaces/argocd/deployments',
  argocdStatefulSets: '/apis/apps/v1/namespaces/argocd/statefulsets',
  argocdSettings: core('argocd', 'configmaps/argocd-cm'),
  project: '/apis/argoproj.io/v1alpha1/namespaces/argocd/appprojects/drover',
  root: '/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/drover-hub',
  applications: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/applications.argoproj.io',
  managedClusters: cluster1('v1/managedclusters'),
  clusterSets: cluster1('v1beta2/managedclustersets'),
  bindings: cluster1('v1beta2/namespaces/argocd/managedclustersetbindings'),
  argocdClusters: secretsOfClusters,
  home: '/api/v1/namespaces/drover',
  settings: core('drover', 'configmaps/drover-config'),
  gitSecret: core('drover', 'secrets/drover-git'),
  gitReadSecret: core('drover', 'secrets/drover-git-read'),
  keysSecret: core('drover', 'secrets/drover-signing-keys'),
  clustersSecret: core('drover', 'secrets/drover-clusters'),
  services: functionsPath,
  broker: '/apis/eventing.knative.dev/v1/namespaces/drover/brokers/default',
  triggers: '/apis/eventing.knative.dev/v1/namespaces/drover/triggers',
  ingress: core('knative-eventing', 'services/broker-ingress'),
  kafkaIngress: core('knative-eventing', 'services/kafka-broker-ingress'),
  channel: core('knative-eventing', 'configmaps/config-br-default-channel'),
  reviews: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
  ownReviews: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
  readerHome: '/api/v1/namespaces/drover-reader',
  kubevirt: '/apis/kubevirt.io/v1/kubevirts',
  cdi: '/apis/cdi.kubevirt.io/v1beta1/cdis',
  storageClasses: '/apis/storage.k8s.io/v1/storageclasses',
  restores: '/openapi/v3/apis/snapshot.kubevirt.io/v1beta1',
  snapshotClasses: '/apis/snapshot.storage.k8s.io/v1/volumesnapshotclasses',
}

export const hub = (): Cluster => ({
  '/version': { gitVersion: 'v1.33.1' },
  ...served('eventing.knative.dev', 'v1', 'brokers', 'triggers'),
  ...served('eventing.knative.dev', 'v1alpha1', 'requestreplies', 'eventpolicies'),
  ...served('sources.knative.dev', 'v1', 'pingsources'),
  ...served('messaging.knative.dev', 'v1', 'inmemorychannels'),
  ...served('serving.knative.dev', 'v1', 'services'),
  ...served('argoproj.io', 'v1alpha1', 'applications', 'appprojects'),
  ...served(ocm, 'v1', 'managedclusters'),
  ...served(ocm, 'v1beta2', 'managedclustersets', 'managedclustersetbindings'),
  ...served(ocm, 'v1beta1', 'placements', 'placementdecisions'),
  [at.eventingDeployments]: versioned('1.20.0'),
  '/apis/apps/v1/namespaces/knative-serving/deployments': versioned('1.20.0'),
  [at.eventingFlags]: { data: { 'delivery-timeout': 'enabled' } },
  [at.servingFlags]: { data: {} },
  [at.ingress]: named('broker-ingress'),
  [at.channel]: { data: { 'channel-template-spec': 'apiVersion: messaging.knative.dev/v1\nkind: InMemoryChannel\n' } },
  [at.argocdDeployments]: argocdImage(':v3.5.3'),
  [at.argocdStatefulSets]: argocdImage(':v3.5.3'),
  [at.argocdSettings]: { data: {} },
  [at.project]: named('drover'),
  [at.root]: named('drover-hub', { status: { conditions: [{ type: 'OrphanedResourceWarning' }] } }),
  [at.applications]: definition({ refresh: { type: 'boolean' } }),
  [at.managedClusters]: list(managedCluster('site-a'), managedCluster('site-b')),
  [at.clusterSets]: list({
    metadata: { name: 'global' },
    spec: { clusterSelector: { selectorType: 'LabelSelector', labelSelector: {} } },
  }),
  [at.bindings]: list({ spec: { clusterSet: 'global' } }),
  [at.argocdClusters]: list(clusterSecret('site-a'), clusterSecret('site-b')),
  [at.home]: named('drover'),
  [at.settings]: { data: { DROVER_GIT_URL: 'https://git.example.com/fleet.git', DROVER_BROKER_URL: brokerUrl } },
  [at.gitSecret]: { data: { token: encoded('hunter2') } },
  [at.gitReadSecret]: { data: { token: encoded('hunter2') } },
  [at.keysSecret]: { data: { keys: encoded('k1:hunter2') } },
  [at.clustersSecret]: { data: { kubeconfig: encoded('contexts: [{name: site-a}, {name: site-b}]') } },
  [at.services]: list(...functionNames.map((name) => service(name))),
  [at.broker]: broker(),
  [at.triggers]: list(...functionNames.map((name) => named(name, ready))),
  [at.reviews]: (review: object) => isGranted(review),
})

export const managed = (): Cluster => ({
  '/version': { gitVersion: 'v1.33.1' },
  ...served('kubevirt.io', 'v1', 'virtualmachines', 'virtualmachineinstances'),
  ...served('cdi.kubevirt.io', 'v1beta1', 'datavolumes', 'datasources', 'dataimportcrons'),
  ...served('k8s.cni.cncf.io', 'v1', 'network-attachment-definitions'),
  ...served('instancetype.kubevirt.io', 'v1beta1', 'virtualmachineclusterinstancetypes'),
  ...served('external-secrets.io', 'v1', 'externalsecrets'),
  ...served('externaldns.k8s.io', 'v1alpha1', 'dnsendpoints'),
  [at.kubevirt]: list({ status: { observedKubeVirtVersion: 'v1.9.0' } }),
  [at.cdi]: list({ status: { observedVersion: 'v1.66.0' } }),
  [at.storageClasses]: list(
    named('slow'),
    named('fast', {
      metadata: { name: 'fast', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
    }),
  ),
  [at.snapshotClasses]: list(named('snapshots')),
  [at.restores]: restoresOf('volumeRestorePolicy', 'volumeOwnershipPolicy'),
  [at.readerHome]: named('drover-reader'),
  [at.reviews]: (review: object) => isGranted(review),
  [at.ownReviews]: (review: object) => isGranted(review),
})

/** The OpenAPI document of restores that have these fields. */
export const restoresOf = (...fields: string[]) => ({
  components: {
    schemas: {
      'io.kubevirt.snapshot.v1beta1.VirtualMachineRestore': {
        properties: { spec: { properties: Object.fromEntries(fields.map((name) => [name, { type: 'string' }])) } },
        'x-kubernetes-group-version-kind': [{ kind: 'VirtualMachineRestore' }],
      },
    },
  },
})

interface Review {
  spec: { user?: string; resourceAttributes: { verb: string; resource: string; namespace?: string } }
}

/** Grants what the installation grants. */
export function isGranted(review: object): boolean {
  const { user, resourceAttributes } = (review as Review).spec
  const { verb, resource, namespace } = resourceAttributes
  const reads = ['get', 'list', 'watch'].includes(verb)
  if (user === 'system:serviceaccount:argocd:argocd-application-controller') return true
  if (user === undefined || user === 'system:serviceaccount:drover-reader:drover-reader')
    return reads && read.includes(resource)
  const hubKinds = ['applications', 'placements', 'placementdecisions', 'managedclusters']
  if (verb === 'patch') return resource === 'applications' && namespace === 'argocd'
  return reads && hubKinds.includes(resource)
}

/** What the reader may read. */
const read = [
  ...['virtualmachines', 'virtualmachineinstances', 'virtualmachineinstancemigrations'],
  ...['datavolumes', 'datasources', 'dataimportcrons'],
  ...['virtualmachinesnapshots', 'virtualmachinesnapshotcontents', 'virtualmachinerestores'],
  ...['externalsecrets', 'jobs', 'persistentvolumeclaims', 'pods', 'storageclasses'],
]
