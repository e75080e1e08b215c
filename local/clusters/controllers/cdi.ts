import type { Cluster, Waker } from '../cluster.ts'
import { indexBy } from '../index-by.ts'
import { type Condition, type KubeObject, keyOf, ownedBy, withCondition } from '../object.ts'
import { admitVolumes } from './cdi-admission.ts'
import { runImportCrons } from './cdi-cron.ts'
import { isOwned, runDataSources, type Source, sourceKeys, sourceOf } from './cdi-sources.ts'
import { type DataVolume, populatedFor, prePopulated } from './cdi-types.ts'
import { type Claim, claimsOf, type Pod } from './claim-types.ts'
import { bind, podsByClaim } from './claims.ts'
import { defaultStorageClass, waitsForConsumer } from './storage-class.ts'

type Conditions = Record<string, [status: Condition['status'], reason?: string, message?: string]>
type Found = Exclude<Source, { missing: string }>

/**
 * CDI: makes the claim of a DataVolume and fills it, through the phases of an import or of a clone; keeps DataSources'
 * conditions. A clone stumbles once and is retried, which makes a virtual machine say DataVolumeError for a moment.
 */
export function runCdi(cluster: Cluster): void {
  const { store } = cluster
  admitVolumes(cluster)
  const { byClaim } = runDataSources(cluster)
  runImportCrons(cluster)
  const bySource = indexBy<DataVolume>(store, 'DataVolume', sourceKeys)
  const users = podsByClaim(cluster)
  const cloned = (claim: string) => [claim, ...byClaim.keys(claim)].flatMap((source) => [...bySource.keys(source)])
  const related = {
    PersistentVolumeClaim: (claim: KubeObject) => [keyOf(claim), ...cloned(keyOf(claim))],
    DataSource: (source: KubeObject) => bySource.keys(keyOf(source)),
    VolumeSnapshot: (snapshot: KubeObject) => bySource.keys(keyOf(snapshot)),
    Pod: (pod: KubeObject) => claimsOf(pod as Pod).flatMap((claim) => [claim, ...cloned(claim)]),
  }
  const usersOf = (claim: string) => [...users.keys(claim)]
  cluster.control<DataVolume>('DataVolume', (volume, waker) => reconcile(cluster, volume, waker, usersOf), related)
}

function reconcile(cluster: Cluster, volume: DataVolume, { over }: Waker, usersOf: (claim: string) => string[]) {
  const { store } = cluster
  const { phase } = volume.status ?? {}
  const { namespace = '', name } = volume.metadata
  if (volume.metadata.deletionTimestamp || phase === 'Failed') return
  const to = (next: string, changes: Conditions = {}, fields = {}) => setPhase(cluster, volume, next, changes, fields)
  if (!phase)
    return to('Pending', { Bound: ['False', 'Pending'], Running: ['False'], Ready: ['False'] }, { claimName: name })
  const claim = store.get<Claim>('PersistentVolumeClaim', namespace, name)
  if (claim?.metadata.annotations?.[populatedFor] === name && !isOwned(claim, volume))
    return adopt(cluster, volume, claim)
  if (volume.metadata.annotations?.[prePopulated] !== undefined)
    return claim?.status?.phase === 'Bound' ? to('Succeeded', done, { progress: '100.0%' }) : to('Pending')
  // A claim that is gone is made anew, and filled from the source again.
  if (phase === 'Succeeded') return claim ? undefined : to('Pending', lost, { progress: 'N/A' })

  const source = sourceOf(cluster, volume)
  if ('missing' in source)
    return to('Pending', {
      Bound: ['Unknown', 'NotFound', source.missing],
      Ready: ['False', 'NotFound', source.missing],
    })
  if (!claim) return void store.create(claimFor(cluster, volume, source))
  if (claim.metadata.deletionTimestamp) return
  if (claim.status?.phase === 'Bound') return to('Succeeded', done, { progress: '100.0%' })
  populate(cluster, volume, claim, { source, over, usersOf })
}

interface Filling {
  source: Found
  over: Waker['over']
  usersOf: (claim: string) => string[]
}

function populate(cluster: Cluster, volume: DataVolume, claim: Claim, { source, over, usersOf }: Filling) {
  const { phase = '', conditions } = volume.status ?? {}
  const isUsed = usersOf(keyOf(claim)).length > 0
  const to = (next: string, changes: Conditions = {}, fields = {}) => setPhase(cluster, volume, next, changes, fields)
  const isClone = source.kind === 'clone' || source.kind === 'snapshot'
  if (/^Import/.test(phase) && cluster.hasFault('import-fails', volume)) return fail(cluster, volume)

  const immediate = volume.metadata.annotations?.['cdi.kubevirt.io/storage.bind.immediate.requested'] === 'true'
  switch (phase) {
    case 'Pending':
      if (!immediate && !isUsed && waitsForConsumer(cluster, claim.spec.storageClassName))
        return to('PendingPopulation')
      return to(isClone ? 'CloneScheduled' : source.kind === 'upload' ? 'UploadScheduled' : 'ImportScheduled')
    case 'PendingPopulation':
      return isUsed ? to(isClone ? 'CloneScheduled' : 'ImportScheduled') : undefined
    case 'CloneScheduled':
      if (!conditions?.some(({ reason }) => reason === 'Error'))
        return to(phase, {
          Running: ['False', 'Error', 'the source claim is in use by another clone; it is tried again'],
        })
      if (cluster.hasFault('clone-fails', volume) || !isClonable(cluster, claim, source, usersOf)) return
      return over('retry') ? to(cloning[source.kind] ?? '', running, { progress: 'N/A' }) : undefined
    case 'CloneInProgress':
    case 'CloneFromSnapshotSourceInProgress':
      return over('clone') ? bind(cluster, claim, source.content) : undefined
    case 'UploadScheduled':
      return to('UploadReady', running)
    case 'ImportScheduled':
      return to('ImportInProgress', running, { progress: '0.00%' })
    case 'ImportInProgress':
      return importing(cluster, volume, claim, { source, over })
  }
}

const cloning: Record<string, string> = { clone: 'CloneInProgress', snapshot: 'CloneFromSnapshotSourceInProgress' }
const running: Conditions = { Running: ['True', 'Pod is running', ''] }
const lost: Conditions = { Bound: ['False', 'NotFound', 'No PVC found'], Ready: ['False'] }
const done: Conditions = {
  Bound: ['True', 'Bound', ''],
  Running: ['False', 'Completed', 'Population completed'],
  Ready: ['True'],
}

/** A source is cloned once it is filled, and while no pod has it mounted. */
function isClonable(cluster: Cluster, claim: Claim, source: Found, usersOf: Filling['usersOf']): boolean {
  if (!('isReady' in source) || !source.isReady) return false
  const users = source.kind === 'clone' ? usersOf(source.key) : []
  const [, from] = source.key.split('/')
  for (const pod of users)
    cluster.event(claim, 'Warning', 'CloneSourceInUse', `pod ${pod} using PersistentVolumeClaim ${from}`)
  return users.length === 0
}

/** A claim that was filled for a DataVolume becomes its own. */
function adopt({ store }: Cluster, volume: DataVolume, claim: Claim): void {
  store.modify(claim, (current) => ({
    ...current,
    metadata: { ...current.metadata, ownerReferences: [ownedBy(volume)] },
  }))
}

function importing(
  cluster: Cluster,
  volume: DataVolume,
  claim: Claim,
  { source, over }: Pick<Filling, 'source' | 'over'>,
): void {
  if (volume.status?.progress !== '0.00%') bind(cluster, claim, source.content)
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

function claimFor(cluster: Cluster, volume: DataVolume, source: Found) {
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
