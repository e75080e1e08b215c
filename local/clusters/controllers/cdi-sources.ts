import type { Cluster } from '../cluster.ts'
import { type Index, indexBy } from '../index-by.ts'
import { type Condition, hasCondition, type KubeObject, keyOf, withCondition } from '../object.ts'
import type { DataSource, DataSourceSource, DataVolume, Reference } from './cdi-types.ts'
import type { Claim } from './claim-types.ts'
import { contentOf } from './content.ts'
import type { VolumeSnapshot } from './snapshot-types.ts'

/** Where a disk comes from, and what will be on it. */
export type Source =
  | { kind: 'import' | 'upload'; content: string }
  | { kind: 'clone' | 'snapshot'; content: string; size: string | undefined; isReady: boolean; key: string }
  | { missing: string }

/** CDI's controller of DataSources: says of each whether what it names is there and can be cloned. */
export function runDataSources(cluster: Cluster): { byClaim: Index } {
  const { store } = cluster
  const named = (what: 'pvc' | 'snapshot' | 'dataSource') =>
    indexBy<DataSource>(store, 'DataSource', ({ metadata, spec }) => {
      const found = spec.source[what]
      return found ? [`${found.namespace ?? metadata.namespace}/${found.name}`] : []
    })
  const [byClaim, bySnapshot, bySource] = [named('pvc'), named('snapshot'), named('dataSource')]
  cluster.control<DataSource>('DataSource', (source) => check(cluster, source), {
    PersistentVolumeClaim: (claim) => byClaim.keys(keyOf(claim)),
    DataVolume: (volume) => byClaim.keys(keyOf(volume)),
    VolumeSnapshot: (snapshot) => bySnapshot.keys(keyOf(snapshot)),
    DataSource: (source) => bySource.keys(keyOf(source)),
  })
  return { byClaim }
}

function check(cluster: Cluster, source: DataSource): void {
  const resolved = resolve(cluster, source)
  const wrong =
    typeof resolved === 'string' ? { reason: 'NotFound', message: resolved } : fault(cluster, source, resolved)
  const ready: Condition = wrong
    ? { type: 'Ready', status: 'False', ...wrong }
    : { type: 'Ready', status: 'True', reason: 'Ready', message: 'DataSource is ready to be consumed' }
  const conditions = withCondition(source.status?.conditions, ready)
  cluster.store.setStatus(source, { source: wrong ? {} : resolved, conditions })
}

/** What a DataSource means in the end, which may be what another one means; or why that cannot be said. */
function resolve({ store }: Cluster, { metadata, spec }: DataSource): DataSourceSource | string {
  const { dataSource } = spec.source
  if (!dataSource) return spec.source
  const found = store.get<DataSource>('DataSource', dataSource.namespace ?? metadata.namespace ?? '', dataSource.name)
  return found?.spec.source ?? `datasources.cdi.kubevirt.io "${dataSource.name}" not found`
}

function fault({ store }: Cluster, { metadata }: DataSource, { pvc, snapshot }: DataSourceSource) {
  if (snapshot) {
    const found = store.get<VolumeSnapshot>(
      'VolumeSnapshot',
      snapshot.namespace ?? metadata.namespace ?? '',
      snapshot.name,
    )
    if (!found) return { reason: 'NotFound', message: 'Snapshot not found' }
    return found.status?.readyToUse ? undefined : { reason: 'SnapshotNotReady', message: 'Snapshot phase is not ready' }
  }
  if (!pvc) return { reason: 'NoSource', message: 'No source PVC set' }
  const place = [pvc.namespace ?? metadata.namespace ?? '', pvc.name] as const
  const phase = store.get<DataVolume>('DataVolume', ...place)?.status?.phase
  if (phase && phase !== 'Succeeded') return { reason: phase, message: `Import DataVolume phase ${phase}` }
  return store.get('PersistentVolumeClaim', ...place) ? undefined : { reason: 'NotFound', message: 'PVC not found' }
}

/** Where a DataVolume's disk comes from. */
export function sourceOf(cluster: Cluster, volume: DataVolume): Source {
  const { source, sourceRef } = volume.spec
  const own = volume.metadata.namespace ?? ''
  if (sourceRef) {
    const found = cluster.store.get<DataSource>('DataSource', sourceRef.namespace ?? own, sourceRef.name)
    const resolved = found && resolve(cluster, found)
    const named = typeof resolved === 'object' && cloneOf(cluster, resolved, found?.metadata.namespace ?? own)
    return named || { missing: `DataSource ${sourceRef.namespace ?? own}/${sourceRef.name} not found` }
  }
  const clone = cloneOf(cluster, source as DataSourceSource, own)
  if (clone) return clone
  const from = source?.['http']?.url ?? source?.['registry']?.url ?? 'blank'
  return source && 'upload' in source ? { kind: 'upload', content: 'uploaded' } : { kind: 'import', content: from }
}

function cloneOf({ store }: Cluster, { pvc, snapshot }: DataSourceSource, own: string): Source | undefined {
  const at = ({ namespace = own, name }: Reference) => [namespace, name] as const
  if (pvc) {
    const claim = store.get<Claim>('PersistentVolumeClaim', ...at(pvc))
    if (!claim) return { missing: `Source PVC ${at(pvc).join('/')} doesn't exist` }
    const volume = store.get<DataVolume>('DataVolume', ...at(pvc))
    const isFilled = !volume || hasCondition(volume.status?.conditions, 'Ready')
    const isReady = claim.status?.phase === 'Bound' && isFilled
    const size = claim.spec.resources?.requests?.storage
    return { kind: 'clone', content: contentOf(claim), size, isReady, key: keyOf(claim) }
  }
  if (!snapshot) return undefined
  const found = store.get<VolumeSnapshot>('VolumeSnapshot', ...at(snapshot))
  if (!found) return { missing: `The source snapshot ${snapshot.name} doesn't exist` }
  const { readyToUse = false, restoreSize: size } = found.status ?? {}
  return { kind: 'snapshot', content: contentOf(found), size, isReady: readyToUse, key: keyOf(found) }
}

/** The objects that a DataVolume's disk comes from, by their places. */
export function sourceKeys({ metadata, spec }: DataVolume): string[] {
  const { namespace = metadata.namespace, name } =
    spec.sourceRef ?? spec.source?.['pvc'] ?? spec.source?.['snapshot'] ?? {}
  return name ? [`${namespace}/${name}`] : []
}

/** Whether an object was made by CDI for a DataVolume, or is to become that DataVolume's. */
export const isOwned = ({ metadata }: KubeObject, volume: DataVolume) =>
  metadata.ownerReferences?.some(({ uid }) => uid === volume.metadata.uid) ?? false
