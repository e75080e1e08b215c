import type { Cluster } from '../cluster.ts'
import type { KubeObject } from '../object.ts'

export interface StorageClass extends KubeObject {
  provisioner?: string
  volumeBindingMode?: string
  allowVolumeExpansion?: boolean
}

export const defaultClass = 'storageclass.kubernetes.io/is-default-class'

/** Whether a storage class binds a claim only when a pod uses it. */
export function waitsForConsumer({ store }: Cluster, name: string | undefined): boolean {
  return (
    name !== undefined &&
    store.get<StorageClass>('StorageClass', '', name)?.volumeBindingMode === 'WaitForFirstConsumer'
  )
}

/** The storage class that is meant where none is named. */
export function defaultStorageClass({ store }: Cluster): string | undefined {
  return store.list('StorageClass').find(({ metadata }) => metadata.annotations?.[defaultClass] === 'true')?.metadata
    .name
}
