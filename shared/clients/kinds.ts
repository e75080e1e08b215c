/** Where the API has the kinds that are read. */

const argocd = { group: 'argoproj.io', version: 'v1alpha1' }
const kubevirt = { group: 'kubevirt.io', version: 'v1' }
const snapshot = { group: 'snapshot.kubevirt.io', version: 'v1beta1' }
const cdi = { group: 'cdi.kubevirt.io', version: 'v1beta1' }
const externalSecrets = { group: 'external-secrets.io', version: 'v1' }

/** The group of Open Cluster Management, which its labels begin with. */
export const ocm = 'cluster.open-cluster-management.io'

export const kinds = {
  applications: { ...argocd, plural: 'applications' },
  virtualMachines: { ...kubevirt, plural: 'virtualmachines' },
  instances: { ...kubevirt, plural: 'virtualmachineinstances' },
  migrations: { ...kubevirt, plural: 'virtualmachineinstancemigrations' },
  snapshots: { ...snapshot, plural: 'virtualmachinesnapshots' },
  snapshotContents: { ...snapshot, plural: 'virtualmachinesnapshotcontents' },
  restores: { ...snapshot, plural: 'virtualmachinerestores' },
  dataVolumes: { ...cdi, plural: 'datavolumes' },
  dataSources: { ...cdi, plural: 'datasources' },
  dataImportCrons: { ...cdi, plural: 'dataimportcrons' },
  externalSecrets: { ...externalSecrets, plural: 'externalsecrets' },
  storageClasses: { group: 'storage.k8s.io', version: 'v1', plural: 'storageclasses' },
  jobs: { group: 'batch', version: 'v1', plural: 'jobs' },
  managedClusters: { group: ocm, version: 'v1', plural: 'managedclusters' },
  placements: { group: ocm, version: 'v1beta1', plural: 'placements' },
  placementDecisions: { group: ocm, version: 'v1beta1', plural: 'placementdecisions' },
} as const
