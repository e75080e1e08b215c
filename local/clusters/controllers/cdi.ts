import type { Cluster, Waker } from '../cluster.ts'
import { indexBy } from '../index-by.ts'
import { type Condition, hasCondition, type KubeObject, keyOf, ownedBy, withCondition } from '../object.ts'
import { admitVolumes } from './cdi-admission.ts'
import type { DataSource, DataVolume, Reference } from './cdi-types.ts'
import { bind, type Claim, defaultStorageClass, podsByClaim, waitsForConsumer } from './claims.ts'

type Conditions = Record<string, [status: Condition['status'], reason?: string, message?: string]>

/**
 * CDI: makes the claim of a DataVolume and fills it, through the phases of an import or of a clone; keeps DataSources'
 * conditions. A clone stumbles once and is retried, which makes a virtual machine say DataVolumeError for a moment.
 */
export function runCdi(cluster: Cluster): void {
  const { store } = cluster
  admitVolumes(cluster)
  const bySource = indexBy<DataVolume>(store, 'DataVolume', (volume) => {
    const { namespace = volume.metadata.namespace, name } = volume.spec.sourceRef ?? volume.spec.source?.['pvc'] ?? {}
    return name ? [`${namespace}/${name}`] : []
  })
  const users = podsByClaim(cluster)
  const related = {
    PersistentVolumeClaim: (claim: KubeObject) => [keyOf(claim), ...bySource.keys(keyOf(claim))],
    DataSource: (source: KubeObject) => bySource.keys(keyOf(source)),
    Pod: (pod: KubeObject) => podClaims(pod),
  }
  const isUsed = (volume: DataVolume) => [...users.keys(keyOf(volume))].length > 0
  cluster.control<DataVolume>(
    'DataVolume',
    (volume, waker) => reconcile(cluster, volume, waker, isUsed(volume)),
    related,
  )

  const sourcesByClaim = indexBy<DataSource>(store, 'DataSource', ({ spec }) =>
    spec.source.pvc ? [`${spec.source.pvc.namespace}/${spec.source.pvc.name}`] : [],
  )
  const ofClaim = { PersistentVolumeClaim: (claim: KubeObject) => sourcesByClaim.keys(keyOf(claim)) }
  cluster.control<DataSource>('DataSource', (source) => checkSource(cluster, source), ofClaim)
}

function podClaims({ metadata, spec }: KubeObject): string[] {
  const { volumes = [] } = spec as { volumes?: { persistentVolumeClaim?: { claimName: string } }[] }
  return volumes.flatMap(({ persistentVolumeClaim: claim }) =>
    claim ? [`${metadata.namespace}/${claim.claimName}`] : [],
  )
}

function reconcile(cluster: Cluster, volume: DataVolume, { over }: Waker, isUsed: boolean) {
  const { store } = cluster
  const { phase, conditions } = volume.status ?? {}
  const { namespace = '', name } = volume.metadata
  if (volume.metadata.deletionTimestamp || phase === 'Succeeded' || phase === 'Failed') return
  const to = (next: string, changes: Conditions = {}, fields = {}) => setPhase(cluster, volume, next, changes, fields)
  if (!phase)
    return to('Pending', { Bound: ['False', 'Pending'], Running: ['False'], Ready: ['False'] }, { claimName: name })

  const source = sourceOf(cluster, volume)
  if ('missing' in source)
    return to('Pending', {
      Bound: ['Unknown', 'NotFound', source.missing],
      Ready: ['False', 'NotFound', source.missing],
    })
  const claim = store.get<Claim>('PersistentVolumeClaim', namespace, name)
  if (!claim) return void store.create(claimFor(cluster, volume, source))
  if (claim.status?.phase === 'Bound') return to('Succeeded', done, { progress: '100.0%' })

  if (/^Import/.test(phase) && cluster.hasFault('import-fails', volume)) return fail(cluster, volume)

  const immediate = volume.metadata.annotations?.['cdi.kubevirt.io/storage.bind.immediate.requested'] === 'true'
  switch (phase) {
    case 'Pending':
      if (!immediate && !isUsed && waitsForConsumer(cluster, claim.spec.storageClassName))
        return to('PendingPopulation')
      return source.kind === 'clone'
        ? to('CloneScheduled')
        : to(source.kind === 'upload' ? 'UploadScheduled' : 'ImportScheduled')
    case 'PendingPopulation':
      return isUsed ? to(source.kind === 'clone' ? 'CloneScheduled' : 'ImportScheduled') : undefined
    case 'CloneScheduled':
      if (!conditions?.some(({ reason }) => reason === 'Error'))
        return to(phase, {
          Running: ['False', 'Error', 'the source claim is in use by another clone; it is tried again'],
        })
      return over('retry') ? to('CloneInProgress', running, { progress: 'N/A' }) : undefined
    case 'CloneInProgress':
      return over('clone') ? bind(cluster, claim) : undefined
    case 'UploadScheduled':
      return to('UploadReady', running)
    case 'ImportScheduled':
      return to('ImportInProgress', running, { progress: '0.00%' })
    case 'ImportInProgress':
      return importing(cluster, volume, claim, over)
  }
}

const running: Conditions = { Running: ['True', 'Pod is running', ''] }
const done: Conditions = {
  Bound: ['True', 'Bound', ''],
  Running: ['False', 'Completed', 'Population completed'],
  Ready: ['True'],
}

function importing(cluster: Cluster, volume: DataVolume, claim: Claim, over: Waker['over']): void {
  if (volume.status?.progress !== '0.00%') bind(cluster, claim)
  else if (over('import')) cluster.store.setStatus(volume, { progress: '64.00%' })
}

/** Lets an import fail as often as it is tried, which CDI does for ever; it never gives a disk up by itself. */
function fail(cluster: Cluster, volume: DataVolume): void {
  if (volume.status?.conditions?.some(({ type, reason }) => type === 'Running' && reason === 'Error')) return
  const from = volume.spec.source?.['http']?.url ?? volume.spec.source?.['registry']?.url ?? 'nowhere'
  const message = `Unable to process data: Unable to connect to data source ${from}: expected status code 200, got 404. Status: 404 Not Found`
  cluster.event(volume, 'Warning', 'Error', message)
  const pending = `target PVC ${volume.metadata.name} Pending: ${message}`
  const conditions: Conditions = { Bound: ['False', 'Pending', pending], Running: ['False', 'Error', message] }
  setPhase(cluster, volume, 'ImportScheduled', conditions, {})
}

function setPhase(
  { store }: Cluster,
  volume: DataVolume,
  phase: string,
  changes: Conditions,
  fields: Record<string, unknown>,
): void {
  let conditions = volume.status?.conditions
  for (const [type, [status, reason, message]] of Object.entries(changes))
    conditions = withCondition(conditions, { type, status, reason, message })
  store.setStatus(volume, { phase, conditions, ...fields })
}

type Source = { kind: 'clone'; size: string | undefined } | { kind: 'import' | 'upload' } | { missing: string }

function sourceOf({ store }: Cluster, volume: DataVolume): Source {
  const { source, sourceRef } = volume.spec
  const own = volume.metadata.namespace ?? ''
  const clone = (reference: Reference): Source => {
    const claim = store.get<Claim>('PersistentVolumeClaim', reference.namespace ?? own, reference.name)
    if (!claim) return { missing: `Source PVC ${reference.namespace ?? own}/${reference.name} doesn't exist` }
    return { kind: 'clone', size: claim.spec.resources?.requests?.storage }
  }
  if (sourceRef) {
    const found = store.get<DataSource>('DataSource', sourceRef.namespace ?? own, sourceRef.name)
    const { pvc } = found?.spec.source ?? {}
    return pvc ? clone(pvc) : { missing: `DataSource ${sourceRef.namespace ?? own}/${sourceRef.name} not found` }
  }
  const pvc = source?.['pvc']
  if (pvc?.name) return clone({ namespace: pvc.namespace ?? own, name: pvc.name })
  return { kind: source && 'upload' in source ? 'upload' : 'import' }
}

function claimFor(cluster: Cluster, volume: DataVolume, source: Source) {
  const { namespace, name, labels } = volume.metadata
  const wanted = volume.spec.storage ?? volume.spec.pvc ?? {}
  const size = wanted.resources?.requests?.storage ?? ('size' in source ? source.size : undefined) ?? '1Gi'
  const storageClassName = wanted.storageClassName ?? defaultStorageClass(cluster)
  const spec = {
    accessModes: wanted.accessModes ?? ['ReadWriteMany'],
    volumeMode: wanted.volumeMode ?? 'Block',
    resources: { requests: { storage: size } },
    ...(storageClassName && { storageClassName }),
  }
  const metadata = {
    name,
    namespace,
    labels: { ...labels, app: 'containerized-data-importer' },
    ownerReferences: [ownedBy(volume)],
  }
  return { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata, spec }
}

function checkSource({ store }: Cluster, source: DataSource): void {
  const reference = source.spec.source.pvc
  const claim =
    reference &&
    store.get('PersistentVolumeClaim', reference.namespace ?? source.metadata.namespace ?? '', reference.name)
  const ready: Condition = claim
    ? { type: 'Ready', status: 'True', reason: 'Ready', message: 'DataSource is ready to be consumed' }
    : { type: 'Ready', status: 'False', reason: 'NotFound', message: `PVC ${reference?.name ?? ''} not found` }
  if (hasCondition(source.status?.conditions, 'Ready', ready.status)) return
  store.setStatus(source, { source: source.spec.source, conditions: withCondition(source.status?.conditions, ready) })
}
