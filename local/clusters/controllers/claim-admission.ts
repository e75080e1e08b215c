import { forbidden, invalid } from '../api-error.ts'
import type { Cluster } from '../cluster.ts'
import { kindNamed } from '../kinds.ts'
import type { KubeObject } from '../object.ts'
import { quantity } from '../quantity.ts'
import { same } from '../store-rules.ts'
import type { Claim } from './claim-types.ts'
import { defaultStorageClass, type StorageClass } from './storage-class.ts'

const kind = kindNamed('PersistentVolumeClaim')
const protection = 'kubernetes.io/pvc-protection'

/** What the API server does to claims: completes new ones, and lets bound ones change in nothing but that they grow. */
export function admitClaims(cluster: Cluster): void {
  cluster.store.admit('PersistentVolumeClaim', (object, previous) => {
    const claim = object as Claim
    if (!previous) return completed(cluster, claim)
    checkChange(cluster, claim, previous as Claim)
    return claim
  })
}

function completed(cluster: Cluster, claim: Claim): KubeObject {
  if (!claim.spec.accessModes?.length) {
    const message = 'Required value: at least 1 access mode is required'
    throw invalid(kind, claim.metadata.name, [{ reason: 'FieldValueRequired', message, field: 'spec.accessModes' }])
  }
  const storageClassName = claim.spec.storageClassName ?? defaultStorageClass(cluster)
  // A claim that a pod uses stays until the pod is gone.
  const metadata = { ...claim.metadata, finalizers: [...(claim.metadata.finalizers ?? []), protection] }
  return {
    ...claim,
    metadata,
    spec: { volumeMode: 'Filesystem', ...claim.spec, ...(storageClassName && { storageClassName }) },
  }
}

function checkChange({ store }: Cluster, claim: Claim, previous: Claim): void {
  const { name } = claim.metadata
  const [wanted, before] = [requestOf(claim), requestOf(previous)]
  if (!same(fixed(claim, previous), fixed(previous, previous)) || (wanted !== before && !previous.spec.volumeName)) {
    const message =
      'Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims'
    throw invalid(kind, name, [{ reason: 'FieldValueForbidden', message, field: 'spec' }])
  }
  if (wanted < before && wanted <= quantity(previous.status?.capacity?.storage ?? '0')) {
    const message = 'Forbidden: field can not be less than status.capacity'
    throw invalid(kind, name, [{ reason: 'FieldValueForbidden', message, field: 'spec.resources.requests.storage' }])
  }
  const storageClass = store.get<StorageClass>('StorageClass', '', claim.spec.storageClassName ?? '')
  if (wanted > before && !storageClass?.allowVolumeExpansion)
    throw forbidden(
      kind,
      name,
      'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
    )
}

const requestOf = ({ spec }: Claim) => quantity(spec.resources?.requests?.storage ?? '0')

/** What must stay of a claim: all but its size, and the volume that it gets once. */
function fixed({ spec: { resources: _, volumeName, ...rest } }: Claim, previous: Claim) {
  return { ...rest, volumeName: previous.spec.volumeName && volumeName }
}
