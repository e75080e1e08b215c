/** What the API server knows of a kind. It treats all kinds alike: whatever differs between them is in this table. */
export interface Kind {
  kind: string
  group: string
  version: string
  plural: string
  singular: string
  shortNames: string[]
  /** What else `kubectl get` may call it by, together with others. */
  categories: readonly string[]
  namespaced: boolean
  /** Clusters that have it: managed ones run the machines, the hub has the fleet's own objects. */
  on: 'both' | 'hub' | 'managed'
  /** Whether `status` is written by the /status subresource alone. */
  status: boolean
  /** Deletion waits for a node to end it. */
  graceful: boolean
  /** What `kubectl get` shows after the name: title to path; `age`, `count` and `true` (the last condition that is) before a path make a text of it, `+` before a title shows it with `-o wide` alone. */
  columns: Record<string, string>
}

type Options = Partial<Omit<Kind, 'kind' | 'group' | 'version' | 'plural'>> & { short?: string }

function kind(groupVersion: string, name: string, options: Options = {}): Kind {
  const [version = '', group = ''] = groupVersion.split('/').reverse()
  const singular = name.toLowerCase()
  const { short, ...rest } = options
  const plural = singular.endsWith('y')
    ? `${singular.slice(0, -1)}ies`
    : `${singular}${/(s|ss)$/.test(singular) ? 'es' : 's'}`
  const shortNames = short ? short.split(' ') : []
  const columns = { Age: 'age metadata.creationTimestamp' }
  const common = { categories: [], namespaced: true, on: 'both', status: true, graceful: false, columns } as const
  return { kind: name, group, version, plural, singular, shortNames, ...common, ...rest }
}

const age = 'age metadata.creationTimestamp'
const cluster = { namespaced: false } as const
const managed = { on: 'managed' } as const
const hub = { on: 'hub' } as const
const store = {
  AGE: age,
  Status: 'status.conditions[Ready].reason',
  Capabilities: 'status.capabilities',
  Ready: 'status.conditions[Ready].status',
}

const rbac = 'rbac.authorization.k8s.io/v1'
const ocm = 'cluster.open-cluster-management.io'

/** Every kind there is; another one is answered with 404, as where its CustomResourceDefinition is not installed. */
export const kinds: readonly Kind[] = [
  kind('v1', 'Namespace', { ...cluster, short: 'ns', columns: { Status: 'status.phase', Age: age } }),
  kind('v1', 'Secret', { status: false, columns: { Type: 'type', Data: 'count data', Age: age } }),
  kind('v1', 'ConfigMap', { status: false, short: 'cm', columns: { Data: 'count data', Age: age } }),
  kind('v1', 'ServiceAccount', { status: false, short: 'sa' }),
  kind('v1', 'PersistentVolumeClaim', {
    short: 'pvc',
    columns: {
      Status: 'status.phase',
      Volume: 'spec.volumeName',
      Capacity: 'status.capacity.storage',
      'Access Modes': 'status.accessModes',
      StorageClass: 'spec.storageClassName',
      Age: age,
    },
  }),
  kind('v1', 'Pod', {
    categories: ['all'],
    short: 'po',
    graceful: true,
    columns: {
      Ready: 'status.conditions[Ready].status',
      Status: 'status.phase',
      Age: age,
      '+IP': 'status.podIP',
      '+Node': 'spec.nodeName',
    },
  }),
  kind('v1', 'Event', {
    status: false,
    short: 'ev',
    columns: {
      'Last Seen': 'age lastTimestamp',
      Type: 'type',
      Reason: 'reason',
      Object: 'involvedObject.name',
      Message: 'message',
    },
  }),
  kind('v1', 'Node', {
    ...managed,
    ...cluster,
    short: 'no',
    columns: { Status: 'true status.conditions', Age: age, Version: 'status.nodeInfo.kubeletVersion' },
  }),
  kind('batch/v1', 'Job', {
    categories: ['all'],
    columns: { Status: 'true status.conditions', Completions: 'status.succeeded', Age: age },
  }),
  kind('storage.k8s.io/v1', 'StorageClass', {
    ...cluster,
    status: false,
    short: 'sc',
    columns: { Provisioner: 'provisioner', VolumeBindingMode: 'volumeBindingMode', Age: age },
  }),
  kind('snapshot.storage.k8s.io/v1', 'VolumeSnapshotClass', {
    ...managed,
    ...cluster,
    status: false,
    short: 'vsclass vsclasses',
    columns: { Driver: 'driver', DeletionPolicy: 'deletionPolicy', Age: age },
  }),
  kind('snapshot.storage.k8s.io/v1', 'VolumeSnapshot', {
    ...managed,
    short: 'vs',
    columns: {
      ReadyToUse: 'status.readyToUse',
      SourcePVC: 'spec.source.persistentVolumeClaimName',
      RestoreSize: 'status.restoreSize',
      SnapshotClass: 'spec.volumeSnapshotClassName',
      CreationTime: 'age status.creationTime',
      Age: age,
    },
  }),
  kind(rbac, 'Role', { status: false }),
  kind(rbac, 'RoleBinding', { status: false, columns: { Role: 'roleRef.name', Age: age } }),
  kind(rbac, 'ClusterRole', { ...cluster, status: false }),
  kind(rbac, 'ClusterRoleBinding', { ...cluster, status: false, columns: { Role: 'roleRef.name', Age: age } }),

  kind('kubevirt.io/v1', 'VirtualMachine', {
    categories: ['all'],
    ...managed,
    short: 'vm vms',
    columns: { Age: age, Status: 'status.printableStatus', Ready: 'status.conditions[Ready].status' },
  }),
  kind('kubevirt.io/v1', 'VirtualMachineInstance', {
    categories: ['all'],
    ...managed,
    short: 'vmi vmis',
    columns: {
      Age: age,
      Phase: 'status.phase',
      IP: 'status.interfaces.0.ipAddress',
      NodeName: 'status.nodeName',
      Ready: 'status.conditions[Ready].status',
    },
  }),
  kind('kubevirt.io/v1', 'VirtualMachineInstanceMigration', {
    categories: ['all'],
    ...managed,
    short: 'vmim vmims',
    columns: { Phase: 'status.phase', VMI: 'spec.vmiName' },
  }),
  kind('snapshot.kubevirt.io/v1beta1', 'VirtualMachineSnapshot', {
    categories: ['all'],
    ...managed,
    short: 'vmsnapshot vmsnapshots',
    columns: {
      SourceKind: 'spec.source.kind',
      SourceName: 'spec.source.name',
      Phase: 'status.phase',
      ReadyToUse: 'status.readyToUse',
      CreationTime: 'age status.creationTime',
      Error: 'status.error.message',
    },
  }),
  kind('snapshot.kubevirt.io/v1beta1', 'VirtualMachineSnapshotContent', {
    categories: ['all'],
    ...managed,
    short: 'vmsnapshotcontent vmsnapshotcontents',
    columns: {
      ReadyToUse: 'status.readyToUse',
      CreationTime: 'age status.creationTime',
      Error: 'status.error.message',
    },
  }),
  kind('snapshot.kubevirt.io/v1beta1', 'VirtualMachineRestore', {
    categories: ['all'],
    ...managed,
    short: 'vmrestore vmrestores',
    columns: {
      TargetKind: 'spec.target.kind',
      TargetName: 'spec.target.name',
      Complete: 'status.complete',
      RestoreTime: 'age status.restoreTime',
    },
  }),
  kind('instancetype.kubevirt.io/v1beta1', 'VirtualMachineClusterInstancetype', {
    ...managed,
    ...cluster,
    status: false,
    short: 'vmclusterinstancetype',
  }),
  kind('instancetype.kubevirt.io/v1beta1', 'VirtualMachineClusterPreference', {
    ...managed,
    ...cluster,
    status: false,
    short: 'vmcp',
  }),

  kind('cdi.kubevirt.io/v1beta1', 'DataVolume', {
    categories: ['all'],
    ...managed,
    short: 'dv dvs',
    columns: { Phase: 'status.phase', Progress: 'status.progress', Restarts: 'status.restartCount', Age: age },
  }),
  kind('cdi.kubevirt.io/v1beta1', 'DataSource', { ...managed, status: false, short: 'das' }),
  kind('cdi.kubevirt.io/v1beta1', 'DataImportCron', {
    ...managed,
    status: false,
    short: 'dic dics',
    columns: { Format: 'status.sourceFormat' },
  }),

  kind('external-secrets.io/v1', 'ExternalSecret', {
    ...managed,
    short: 'es',
    columns: {
      StoreType: 'spec.secretStoreRef.kind',
      Store: 'spec.secretStoreRef.name',
      'Refresh Interval': 'spec.refreshInterval',
      Status: 'status.conditions[Ready].reason',
      Ready: 'status.conditions[Ready].status',
      'Last Sync': 'age status.refreshTime',
    },
  }),
  kind('external-secrets.io/v1', 'SecretStore', { ...managed, short: 'ss', columns: store }),
  kind('external-secrets.io/v1', 'ClusterSecretStore', { ...managed, ...cluster, short: 'css', columns: store }),
  kind('externaldns.k8s.io/v1alpha1', 'DNSEndpoint', { ...managed }),

  // Argo CD's controller writes status by the main resource: its definitions have no status subresource.
  kind('argoproj.io/v1alpha1', 'Application', {
    ...hub,
    status: false,
    short: 'app apps',
    columns: {
      'Sync Status': 'status.sync.status',
      'Health Status': 'status.health.status',
      '+Revision': 'status.sync.revision',
      '+Project': 'spec.project',
    },
  }),
  kind('argoproj.io/v1alpha1', 'ApplicationSet', { ...hub, short: 'appset appsets' }),
  kind('argoproj.io/v1alpha1', 'AppProject', { ...hub, status: false, short: 'appproj appprojs' }),

  kind(`${ocm}/v1`, 'ManagedCluster', {
    ...hub,
    ...cluster,
    short: 'mcl mcls',
    columns: {
      'Hub Accepted': 'spec.hubAcceptsClient',
      'Managed Cluster URLs': 'spec.managedClusterClientConfigs.0.url',
      Joined: 'status.conditions[ManagedClusterJoined].status',
      Available: 'status.conditions[ManagedClusterConditionAvailable].status',
      Age: age,
    },
  }),
  kind(`${ocm}/v1beta2`, 'ManagedClusterSet', {
    ...hub,
    ...cluster,
    short: 'mclset mclsets',
    columns: { Empty: 'status.conditions[ClusterSetEmpty].status', Age: age },
  }),
  kind(`${ocm}/v1beta2`, 'ManagedClusterSetBinding', { ...hub, short: 'mclsetbinding mclsetbindings' }),
  kind(`${ocm}/v1beta1`, 'Placement', {
    ...hub,
    columns: {
      Succeeded: 'status.conditions[PlacementSatisfied].status',
      Reason: 'status.conditions[PlacementSatisfied].reason',
      SelectedClusters: 'status.numberOfSelectedClusters',
    },
  }),
  kind(`${ocm}/v1beta1`, 'PlacementDecision', { ...hub }),
  kind(`${ocm}/v1alpha1`, 'AddOnPlacementScore', { ...hub }),
]

const byName = new Map(kinds.map((row) => [row.kind, row]))

/** The table's row of a kind; only for kinds that this code names itself. */
export function kindNamed(name: string): Kind {
  const row = byName.get(name)
  if (!row) throw new Error(`Cannot find kind ${name}: the table has no such row`)
  return row
}

/** Which kinds a cluster has. */
export function kindsOn(role: 'hub' | 'managed'): Kind[] {
  return kinds.filter(({ on }) => on === 'both' || on === role)
}

/** Whether a kind comes from a CustomResourceDefinition; the API server is stricter with those. */
export function isCustom({ group }: Kind): boolean {
  return !['', 'batch', 'storage.k8s.io', 'rbac.authorization.k8s.io'].includes(group)
}

/** `group/version`, or the version alone for the core group. */
export function apiVersionOf({ group, version }: Kind): string {
  return group ? `${group}/${version}` : version
}
