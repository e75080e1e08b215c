import { createHash } from 'node:crypto'
import type { Cluster } from '../cluster.ts'
import { type Condition, type KubeObject, ownedBy, timestamp, withCondition } from '../object.ts'
import type { DataImportCron, DataVolume } from './cdi-types.ts'

const cronLabel = 'cdi.kubevirt.io/dataImportCron'
/** The digest that the cron found at its registry. No registry is asked: change it by hand to publish another image. */
const desired = 'cdi.kubevirt.io/storage.import.sourceDesiredDigest'

/** CDI's DataImportCron: imports an image under the name of its digest, and points the managed DataSource at it. */
export function runImportCrons(cluster: Cluster): void {
  const ofLabel = ({ metadata }: KubeObject) => {
    const cron = metadata.labels?.[cronLabel]
    return cron === undefined ? [] : [`${metadata.namespace}/${cron}`]
  }
  cluster.control<DataImportCron>('DataImportCron', (cron) => reconcile(cluster, cron), {
    DataVolume: ofLabel,
    DataSource: ofLabel,
  })
}

function reconcile(cluster: Cluster, cron: DataImportCron) {
  const { store } = cluster
  const { namespace = '', annotations, deletionTimestamp } = cron.metadata
  if (deletionTimestamp) return
  const digest = annotations?.[desired]
  if (!digest) return poll(cluster, cron)
  const name = `${cron.spec.managedDataSource}-${digest.slice('sha256:'.length).slice(0, 12)}`
  const volume = store.get<DataVolume>('DataVolume', namespace, name)
  if (!volume) return importImage(cluster, cron, name, digest)
  const isDone = volume.status?.phase === 'Succeeded'
  pointAt(cluster, cron, isDone ? name : undefined)
  if (!isDone)
    return say(cluster, cron, {
      type: 'UpToDate',
      status: 'False',
      reason: 'ImportProgressing',
      message: 'Import is progressing',
    })
  const isNew = cron.status?.lastImportedPVC?.name !== name
  say(
    cluster,
    cron,
    { type: 'UpToDate', status: 'True', reason: 'UpToDate', message: 'Latest import is up to date' },
    { sourceFormat: 'pvc', ...(isNew && { lastImportedPVC: { namespace, name }, lastImportTimestamp: timestamp() }) },
  )
  forget(cluster, cron, name)
}

function poll({ store }: Cluster, cron: DataImportCron): void {
  const { url = cron.metadata.name } = cron.spec.template.spec.source?.['registry'] ?? {}
  const digest = `sha256:${createHash('sha256').update(url).digest('hex')}`
  store.modify(cron, (current) => ({
    ...current,
    metadata: { ...current.metadata, annotations: { ...current.metadata.annotations, [desired]: digest } },
  }))
}

function importImage(cluster: Cluster, cron: DataImportCron, name: string, digest: string): void {
  const { metadata, spec } = cron.spec.template
  const labels = { ...metadata?.labels, [cronLabel]: cron.metadata.name }
  const own = {
    name,
    namespace: cron.metadata.namespace,
    labels,
    annotations: { ...metadata?.annotations, ...immediate },
  }
  cluster.store.create({ apiVersion: cron.apiVersion, kind: 'DataVolume', metadata: own, spec })
  const currentImports = [{ DataVolumeName: name, Digest: digest }]
  const condition: Condition = {
    type: 'UpToDate',
    status: 'False',
    reason: 'Outdated',
    message: 'Source digest updated since last import',
  }
  say(cluster, cron, condition, { currentImports })
}

const immediate = { 'cdi.kubevirt.io/storage.bind.immediate.requested': 'true' }

/** The DataSource is there from the start, and changes only to what was imported whole. */
function pointAt({ store }: Cluster, cron: DataImportCron, claim: string | undefined): void {
  const { namespace = '' } = cron.metadata
  const { managedDataSource: name } = cron.spec
  const labels = { [cronLabel]: cron.metadata.name }
  const spec = { source: claim === undefined ? {} : { pvc: { namespace, name: claim } } }
  const before = store.get('DataSource', namespace, name)
  if (!before)
    store.create({
      apiVersion: cron.apiVersion,
      kind: 'DataSource',
      metadata: { name, namespace, labels, ownerReferences: [ownedBy(cron)] },
      spec,
    })
  // One that somebody else made is left alone.
  else if (claim !== undefined && before.metadata.labels?.[cronLabel] === cron.metadata.name)
    store.modify(before, (current) => ({ ...current, spec }))
}

/** Old imports go, but for as many as are to be kept: those that were made last. */
function forget({ store }: Cluster, { metadata, spec }: DataImportCron, current: string): void {
  if (spec.garbageCollect === 'Never') return
  const { namespace = '', name } = metadata
  const old = store
    .list<DataVolume>('DataVolume', namespace)
    .filter((one) => one.metadata.labels?.[cronLabel] === name && one.metadata.name !== current)
    .sort((a, b) => Number(b.metadata.resourceVersion) - Number(a.metadata.resourceVersion))
  for (const one of old.slice((spec.importsToKeep ?? 3) - 1)) store.remove('DataVolume', namespace, one.metadata.name)
}

function say({ store }: Cluster, cron: DataImportCron, condition: Condition, fields = {}): void {
  store.setStatus(cron, { conditions: withCondition(cron.status?.conditions, condition), ...fields })
}
