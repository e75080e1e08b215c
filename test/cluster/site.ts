import type { NewObject } from '../../local/clusters/object.ts'
import { managedCluster, statusOf, usualClusters } from '../../local/clusters/seed.ts'
import type { Api } from './api.ts'

const images = 'openshift-virtualization-os-images'
const ocm = 'cluster.open-cluster-management.io'

/** What an administrator has prepared before Drover comes: clusters, golden images, networks, stores of secrets. */
export async function prepareSite(api: Api): Promise<void> {
  await api.apply(networkAttachments)
  await again(() => fillInAsReleased(api))
  for (const object of [...hub, ...site]) await again(() => api.apply(object))
  // CDI knows the modes of well-known storage alone.
  const claimPropertySets = [{ accessModes: ['ReadWriteMany'], volumeMode: 'Filesystem' }]
  await again(() => api.merge('StorageProfile', '', 'standard', { spec: { claimPropertySets } }))
  for (const traits of usualClusters) {
    const { metadata } = await again(() => api.apply(managedCluster(traits)))
    const status = statusOf({ cpu: '64', memory: '256Gi', ...traits }, metadata.creationTimestamp)
    await api.merge('ManagedCluster', '', traits.name, { status }, { subresource: 'status' })
  }
}

const externalSecrets = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/externalsecrets.external-secrets.io'

/** The schema that is here is a later one: every released version of External Secrets has the API fill in these fields. */
async function fillInAsReleased(api: Api): Promise<void> {
  const found = (await api.call('GET', externalSecrets)) as { spec: { versions: { name: string }[] } }
  const version = found.spec.versions.findIndex(({ name }) => name === 'v1')
  const schema = `/spec/versions/${version}/schema/openAPIV3Schema/properties/spec/properties`
  const defaults = { conversionStrategy: 'Default', decodingStrategy: 'None', metadataPolicy: 'None' }
  const body = Object.entries(defaults).map(([field, value]) => ({
    op: 'add',
    path: `${schema}/data/items/properties/remoteRef/properties/${field}/default`,
    value,
  }))
  await api.call('PATCH', externalSecrets, { body, type: 'application/json-patch+json' })
}

/** A kind that was made just now, or a webhook that is still starting, takes a moment. */
async function again<T>(attempt: () => Promise<T>): Promise<T> {
  for (const deadline = Date.now() + 30_000; ; await new Promise((done) => setTimeout(done, 500))) {
    try {
      return await attempt()
    } catch (error) {
      if (Date.now() > deadline) throw error
    }
  }
}

const namespace = (name: string): NewObject => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })

const hub: NewObject[] = [
  namespace('default'),
  {
    apiVersion: `${ocm}/v1beta2`,
    kind: 'ManagedClusterSetBinding',
    metadata: { name: 'global', namespace: 'argocd' },
    spec: { clusterSet: 'global' },
  },
]

/** A small image stands for each golden image: what is in it nobody reads. */
const goldenImage = (name: string): NewObject[] => [
  {
    apiVersion: 'cdi.kubevirt.io/v1beta1',
    kind: 'DataVolume',
    metadata: {
      name,
      namespace: images,
      annotations: {
        'cdi.kubevirt.io/storage.bind.immediate.requested': 'true',
        'cdi.kubevirt.io/storage.deleteAfterCompletion': 'false',
      },
    },
    spec: {
      source: { http: { url: `http://images.example.com/${name}.qcow2` } },
      storage: { accessModes: ['ReadWriteMany'], resources: { requests: { storage: '10Gi' } } },
    },
  },
  {
    apiVersion: 'cdi.kubevirt.io/v1beta1',
    kind: 'DataSource',
    metadata: { name, namespace: images },
    spec: { source: { pvc: { namespace: images, name } } },
  },
]

const network = (name: string): NewObject => ({
  apiVersion: 'k8s.cni.cncf.io/v1',
  kind: 'NetworkAttachmentDefinition',
  metadata: { name, namespace: 'default' },
  spec: { config: JSON.stringify({ cniVersion: '0.3.1', name, type: 'bridge' }) },
})

const site: NewObject[] = [
  namespace(images),
  ...['rhel9', 'win2k22'].flatMap(goldenImage),
  ...['servers-vlan120', 'databases-vlan130', 'backup-vlan190', 'windows-vlan140'].map(network),
  {
    apiVersion: 'external-secrets.io/v1',
    kind: 'ClusterSecretStore',
    metadata: { name: 'platform' },
    spec: { provider: { fake: { data: [] } } },
  },
]

/** Multus's kind, as far as a machine names it. */
const networkAttachments: NewObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'network-attachment-definitions.k8s.cni.cncf.io' },
  spec: {
    group: 'k8s.cni.cncf.io',
    scope: 'Namespaced',
    names: {
      kind: 'NetworkAttachmentDefinition',
      plural: 'network-attachment-definitions',
      singular: 'network-attachment-definition',
      shortNames: ['net-attach-def'],
    },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: { spec: { type: 'object', properties: { config: { type: 'string' } } } },
          },
        },
      },
    ],
  },
}
