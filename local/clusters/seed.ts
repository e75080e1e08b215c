import type { Cluster } from './cluster.ts'
import { contentAnnotation } from './controllers/content.ts'
import { defaultClass } from './controllers/storage-class.ts'
import { usualKubevirt } from './kubevirt.ts'
import type { NewObject } from './object.ts'

export interface ClusterTraits {
  name: string
  labels?: Record<string, string>
  cpu?: string
  memory?: string
  /** Which KubeVirt it plays: 1.8 unless said, or an older one. */
  kubevirt?: string
}

/** The two managed clusters that are there unless others are asked for. */
export const usualClusters: ClusterTraits[] = [
  {
    name: 'site-a',
    labels: { region: 'eu-west', environment: 'production', tier: 'gold' },
    cpu: '64',
    memory: '256Gi',
  },
  {
    name: 'site-b',
    labels: { region: 'eu-north', environment: 'development', tier: 'silver' },
    cpu: '128',
    memory: '512Gi',
  },
]

const ocm = 'cluster.open-cluster-management.io'
const images = 'openshift-virtualization-os-images'
const systems = [
  'rhel8',
  'rhel9',
  'rhel10',
  'rhel-9',
  'centos-stream9',
  'centos-stream10',
  'fedora',
  'debian12',
  'ubuntu2404',
  'win2k22',
  'win2k25',
  'windows-2022',
]
const preferences = [
  'linux',
  'rhel.8',
  'rhel.9',
  'rhel.10',
  'centos.stream9',
  'centos.stream10',
  'fedora',
  'debian',
  'ubuntu',
  'windows.2k22',
  'windows.2k22.virtio',
  'windows.2k25',
  'windows.2k25.virtio',
]
const sizes: [name: string, cpu: number, memory: string][] = [
  ['nano', 1, '512Mi'],
  ['micro', 1, '1Gi'],
  ['small', 1, '2Gi'],
  ['medium', 1, '4Gi'],
  ['2xmedium', 2, '4Gi'],
  ['large', 2, '8Gi'],
  ['xlarge', 4, '16Gi'],
  ['2xlarge', 8, '32Gi'],
  ['4xlarge', 16, '64Gi'],
  ['8xlarge', 32, '128Gi'],
]

const namespace = (name: string): NewObject => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })

/** Creates what is missing of objects; those that are there stay as they are. */
export function ensure({ store }: Cluster, objects: NewObject[]): void {
  for (const object of objects)
    if (!store.get(object.kind, object.metadata.namespace ?? '', object.metadata.name ?? '')) store.create(object)
}

/** What a fresh hub has: Argo CD's project, the managed clusters with their set, and the set's binding. */
export function seedHub(hub: Cluster, clusters: ClusterTraits[]): void {
  const set = (name: string, spec: unknown): NewObject => ({
    apiVersion: `${ocm}/v1beta2`,
    kind: 'ManagedClusterSet',
    metadata: { name },
    spec,
  })
  ensure(hub, [
    ...['default', 'kube-system', 'argocd', ...clusters.map(({ name }) => name)].map(namespace),
    {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'AppProject',
      metadata: { name: 'default', namespace: 'argocd' },
      spec: {
        sourceRepos: ['*'],
        destinations: [{ server: '*', namespace: '*' }],
        clusterResourceWhitelist: [{ group: '*', kind: '*' }],
      },
    },
    set('global', { clusterSelector: { selectorType: 'LabelSelector', labelSelector: {} } }),
    set('default', { clusterSelector: { selectorType: 'ExclusiveClusterSetLabel' } }),
    ...['argocd', 'default'].map((where) => ({
      apiVersion: `${ocm}/v1beta2`,
      kind: 'ManagedClusterSetBinding',
      metadata: { name: 'global', namespace: where },
      spec: { clusterSet: 'global' },
    })),
    ...clusters.map(managedCluster),
  ])
  for (const traits of clusters) join(hub, traits)
}

/** A managed cluster as an administrator registers it. */
export function managedCluster({ name, labels }: ClusterTraits): NewObject {
  const all = { name, vendor: 'OpenShift', [`${ocm}/clusterset`]: 'default', ...labels }
  return {
    apiVersion: `${ocm}/v1`,
    kind: 'ManagedCluster',
    metadata: { name, labels: all },
    spec: { hubAcceptsClient: true, leaseDurationSeconds: 60 },
  }
}

/** Says of a new managed cluster what its agent would: that it is there, and how large it is. */
function join({ store }: Cluster, { name, cpu = '64', memory = '256Gi', ...rest }: ClusterTraits): void {
  const cluster = store.get('ManagedCluster', '', name)
  if (!cluster || cluster['status']) return
  store.setStatus(cluster, statusOf({ name, cpu, memory, ...rest }, cluster.metadata.creationTimestamp))
}

/** What a managed cluster's agent says of it. */
export function statusOf({ name, cpu, memory, kubevirt = usualKubevirt }: ClusterTraits, since: string) {
  const condition = (type: string, reason: string) => ({
    type,
    status: 'True',
    reason,
    message: '',
    lastTransitionTime: since,
  })
  return {
    allocatable: { cpu, memory },
    capacity: { cpu, memory },
    clusterClaims: [
      { name: 'id.k8s.io', value: name },
      { name: 'kubevirt.drover.dev/version', value: `v${kubevirt}.0` },
    ],
    conditions: [
      condition('HubAcceptedManagedCluster', 'HubClusterAdminAccepted'),
      condition('ManagedClusterJoined', 'ManagedClusterJoined'),
      condition('ManagedClusterConditionAvailable', 'ManagedClusterAvailable'),
    ],
    version: { kubernetes: 'v1.34.0' },
  }
}

/** What a fresh managed cluster has: nodes, storage (what is `local` can neither grow nor be snapshot), instance types and preferences, golden images, and a store of secrets. */
export function seedManaged(cluster: Cluster): void {
  const storage = (name: string, volumeBindingMode: string, annotations = {}): NewObject => ({
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name, annotations },
    provisioner: `${name}.simulated`,
    volumeBindingMode,
    allowVolumeExpansion: name !== 'local',
  })
  const snapshots = (driver: string): NewObject => ({
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshotClass',
    metadata: { name: driver },
    driver: `${driver}.simulated`,
    deletionPolicy: 'Delete',
  })
  ensure(cluster, [
    ...['default', 'kube-system', images].map(namespace),
    storage('standard', 'Immediate', { [defaultClass]: 'true' }),
    storage('local', 'WaitForFirstConsumer'),
    storage('zonal', 'WaitForFirstConsumer'),
    snapshots('standard'),
    snapshots('zonal'),
    ...['node-1', 'node-2', 'node-3'].map(node),
    ...['platform', 'vault'].map(secretStore),
    ...['u1', 'o1', 'cx1', 'm1', 'n1'].flatMap((series) =>
      sizes.map(([size, cpu, memory]) => ({
        apiVersion: 'instancetype.kubevirt.io/v1beta1',
        kind: 'VirtualMachineClusterInstancetype',
        metadata: { name: `${series}.${size}` },
        spec: { cpu: { guest: cpu }, memory: { guest: memory } },
      })),
    ),
    ...preferences.map((name) => ({
      apiVersion: 'instancetype.kubevirt.io/v1beta1',
      kind: 'VirtualMachineClusterPreference',
      metadata: { name },
      spec: {},
    })),
    ...systems.flatMap(goldenImage),
  ])
}

const node = (name: string): NewObject => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels: { 'kubernetes.io/hostname': name, 'kubevirt.io/schedulable': 'true' } },
})

const secretStore = (name: string): NewObject => ({
  apiVersion: 'external-secrets.io/v1',
  kind: 'ClusterSecretStore',
  metadata: { name },
  spec: { provider: { fake: { data: [] } } },
})

function goldenImage(name: string): NewObject[] {
  const storage = name.startsWith('win') ? '64Gi' : '30Gi'
  const metadata = { name, namespace: images }
  return [
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { ...metadata, annotations: { [contentAnnotation]: name } },
      spec: { accessModes: ['ReadWriteMany'], volumeMode: 'Block', resources: { requests: { storage } } },
    },
    {
      apiVersion: 'cdi.kubevirt.io/v1beta1',
      kind: 'DataSource',
      metadata,
      spec: { source: { pvc: { namespace: images, name } } },
    },
  ]
}
