import { denied } from '../api-error.ts'
import type { Cluster } from '../cluster.ts'
import type { KubeObject } from '../object.ts'
import { same } from '../store-rules.ts'
import { type DataVolume, populatedFor } from './cdi-types.ts'

/** CDI's admission: refuses what it refuses, in its words. */
export function admitVolumes(cluster: Cluster): void {
  cluster.store.admit('DataVolume', (volume, previous) =>
    admit(cluster, volume as DataVolume, previous as DataVolume | undefined),
  )
  cluster.store.admit('DataImportCron', (cron, previous) => {
    if (!previous || same(cron['spec'], previous['spec'])) return cron
    const message = 'Cannot update DataImportCron Spec'
    const cause = { reason: 'FieldValueDuplicate', message, field: 'DataImportCron.Spec' }
    throw denied('dataimportcron-validate.cdi.kubevirt.io', [cause])
  })
}

function admit({ store }: Cluster, volume: DataVolume, previous: DataVolume | undefined): KubeObject {
  const webhook = 'datavolume-validate.cdi.kubevirt.io'
  const refuse = (message: string, field: string) => denied(webhook, [{ reason: 'FieldValueInvalid', message, field }])
  if (previous) {
    if (!same(volume.spec, previous.spec)) throw refuse('Cannot update DataVolume Spec', 'spec')
    return volume
  }
  const { namespace = '', name, annotations } = volume.metadata
  const { source, sourceRef, storage, pvc } = volume.spec ?? {}
  if (!source && !sourceRef)
    throw refuse('Data volume should have either Source or SourceRef, or be externally populated', 'spec')
  if (source && sourceRef) throw refuse('Data volume should have either Source or SourceRef', 'spec')
  if (!storage && !pvc) throw refuse('Missing Data volume PVC', 'spec.PVC')
  const claim = store.get('PersistentVolumeClaim', namespace, name)
  const isAdopted = annotations?.['cdi.kubevirt.io/allowClaimAdoption'] === 'true'
  if (claim && !isAdopted && claim.metadata.annotations?.[populatedFor] !== name)
    throw refuse(`Destination PVC ${namespace}/${name} already exists`, 'metadata.name')
  return volume
}
