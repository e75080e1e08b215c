import type { Cluster } from '../cluster.ts'
import type { NewObject } from '../object.ts'
import { jsonPatch } from '../patch.ts'
import { same } from '../store-rules.ts'
import { type DataVolume, populatedFor, prePopulated } from './cdi-types.ts'
import type { Claim } from './claim-types.ts'
import { hasRestored, restoredBy, restoreName } from './restore-volumes.ts'
import type { Restore, SnapshotContent, VolumeRestore } from './snapshot-types.ts'
import type { VirtualMachine, Volume } from './vm-types.ts'

type Source = SnapshotContent['spec']['source']['virtualMachine']

/**
 * Gives the target the spec that it had, over the restored claims, a step at a time; makes a target that is not there,
 * Halted. A volume by a DataVolume becomes one by its claim, unless the machine makes that DataVolume itself.
 */
export function restoreMachine(
  cluster: Cluster,
  restore: Restore,
  machine: VirtualMachine | undefined,
  { spec }: SnapshotContent,
): 'done' | 'going on' {
  if (machine && hasRestored(restore, machine)) return 'done'
  const source = spec.source.virtualMachine
  const restores = (restore.status?.restores ?? []).map((one) => named(source, one))
  if (!same(restores, restore.status?.restores)) {
    for (const one of restores) giveAway(cluster, restore, one)
    cluster.store.setStatus(restore, { restores })
    return 'going on'
  }
  const wanted = specFor(source, restores)
  if (makeVolumes(cluster, restore, wanted)) return 'going on'
  const names = (templates: VirtualMachine['spec']['dataVolumeTemplates'] = []) =>
    templates.map((one) => one.metadata.name)
  const gone = names(machine?.spec.dataVolumeTemplates).filter(
    (name) => !names(wanted.dataVolumeTemplates).includes(name),
  )
  if (!same(gone, restore.status?.deletedDataVolumes ?? [])) {
    cluster.store.setStatus(restore, { deletedDataVolumes: gone })
    return 'going on'
  }
  if (machine) update(cluster, restore, machine, wanted)
  else create(cluster, restore, source, wanted)
  return 'going on'
}

const templateOf = ({ spec }: Source, name: string | undefined) =>
  spec.dataVolumeTemplates?.find(({ metadata }) => metadata.name === name)
const volumeOf = ({ spec }: Source, { volumeName }: VolumeRestore) =>
  spec.template.spec.volumes?.find(({ name }) => name === volumeName)

/** A disk that the machine makes by a template has a DataVolume of the claim's name. */
function named(source: Source, one: VolumeRestore): VolumeRestore {
  const isTemplated = templateOf(source, volumeOf(source, one)?.dataVolume?.name) !== undefined
  return isTemplated ? { ...one, dataVolumeName: one.persistentVolumeClaim } : one
}

function giveAway(
  { store }: Cluster,
  restore: Restore,
  { persistentVolumeClaim, dataVolumeName }: VolumeRestore,
): void {
  const claim = store.get<Claim>('PersistentVolumeClaim', restore.metadata.namespace ?? '', persistentVolumeClaim)
  if (!claim || dataVolumeName === undefined || claim.metadata.annotations?.[populatedFor] === dataVolumeName) return
  store.modify(claim, (current) => ({
    ...current,
    metadata: {
      ...current.metadata,
      ownerReferences: undefined,
      annotations: { ...current.metadata.annotations, [populatedFor]: dataVolumeName },
    },
  }))
}

function specFor(source: Source, restores: VolumeRestore[]): VirtualMachine['spec'] {
  const { dataVolumeTemplates, template } = source.spec
  const volumes = template.spec.volumes?.map((volume): Volume => {
    const one = restores.find(({ volumeName }) => volumeName === volume.name)
    if (!one) return volume
    if (templateOf(source, volume.dataVolume?.name))
      return { ...volume, dataVolume: { name: one.persistentVolumeClaim } }
    const { dataVolume: _, ...rest } = volume
    return { ...rest, persistentVolumeClaim: { ...volume.persistentVolumeClaim, claimName: one.persistentVolumeClaim } }
  })
  const templates = dataVolumeTemplates?.map((each) => {
    const volume = template.spec.volumes?.find(({ dataVolume }) => dataVolume?.name === each.metadata.name)
    const name = restores.find(({ volumeName }) => volumeName === volume?.name)?.dataVolumeName ?? each.metadata.name
    return { ...each, metadata: { ...each.metadata, name } }
  })
  return {
    ...source.spec,
    ...(templates && { dataVolumeTemplates: templates }),
    template: { ...template, spec: { ...template.spec, ...(volumes && { volumes }) } },
  }
}

/** Makes the DataVolumes that the machine would make, over the claims that are there; whether one is not ready yet. */
function makeVolumes({ store }: Cluster, restore: Restore, spec: VirtualMachine['spec']): boolean {
  const { namespace = '', name } = restore.metadata
  const waiting = (spec.dataVolumeTemplates ?? []).map((template) => {
    const volume = store.get<DataVolume>('DataVolume', namespace, template.metadata.name)
    if (volume) return !/^(Succeeded|WaitForFirstConsumer|PendingPopulation)$/.test(volume.status?.phase ?? '')
    const annotations = { ...template.metadata.annotations, [restoreName]: name, [prePopulated]: 'true' }
    const metadata = { ...template.metadata, namespace, annotations }
    store.create({ apiVersion: 'cdi.kubevirt.io/v1beta1', kind: 'DataVolume', metadata, spec: template.spec })
    return true
  })
  return waiting.includes(true)
}

function update({ store }: Cluster, restore: Restore, machine: VirtualMachine, spec: VirtualMachine['spec']): void {
  const { runStrategy: _, running: __, ...rest } = spec
  const { runStrategy, running } = machine.spec
  const power = running === undefined ? { runStrategy: runStrategy ?? 'Halted' } : { running: false }
  store.modify(machine, (current) => ({
    ...current,
    metadata: { ...current.metadata, annotations: { ...current.metadata.annotations, ...restoredBy(restore) } },
    spec: { ...rest, ...power },
  }))
}

function create({ store }: Cluster, restore: Restore, source: Source, spec: VirtualMachine['spec']): void {
  const { labels, annotations } = source.metadata
  const { runStrategy: _, running, ...rest } = spec
  const power = running === undefined ? { runStrategy: 'Halted' } : { running: false }
  const { name } = restore.spec.target
  const metadata = {
    name,
    namespace: restore.metadata.namespace,
    labels,
    annotations: { ...annotations, ...restoredBy(restore) },
  }
  const machine = { apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachine', metadata, spec: { ...rest, ...power } }
  const patches = (restore.spec.patches ?? []).map((patch) => JSON.parse(patch) as unknown)
  store.create(jsonPatch(machine, patches) as NewObject)
}
