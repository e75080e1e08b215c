import type { Definition } from '../schema/definition.ts'
import { dataDiskName, diskLabel, kept, type Manifest, metadataOf, rootDiskName } from './manifest.ts'

/**
 * Disks are DataVolumes of their own, never `dataVolumeTemplates`: those belong to the VirtualMachine and are deleted
 * with it. https://github.com/kubevirt/kubevirt/issues/11519
 */
export function disks(definition: Definition): Manifest[] {
  return [rootDisk(definition), ...definition.disks.map((disk) => dataDisk(definition, disk))]
}

function rootDisk(definition: Definition): Manifest {
  const { image, rootDisk } = definition
  const source =
    'registry' in image
      ? { source: { registry: { url: image.registry } } }
      : { sourceRef: { kind: 'DataSource', namespace: image.namespace, name: image.dataSource } }
  return dataVolume(definition, rootDiskName(definition), 'root', rootDisk, source, {})
}

function dataDisk(definition: Definition, disk: Definition['disks'][number]): Manifest {
  return dataVolume(definition, dataDiskName(definition, disk.name), 'data', disk, { source: { blank: {} } }, kept)
}

function dataVolume(
  definition: Definition,
  name: string,
  role: 'root' | 'data',
  { size, storageClass }: Definition['rootDisk'],
  source: object,
  annotations: Record<string, string>,
): Manifest {
  const metadata = metadataOf(definition, name)
  return {
    apiVersion: 'cdi.kubevirt.io/v1beta1',
    kind: 'DataVolume',
    metadata: {
      ...metadata,
      labels: { ...metadata.labels, [diskLabel]: role },
      // Older CDI removes a DataVolume once it is filled; Argo CD would then make it again, over and over.
      annotations: { 'cdi.kubevirt.io/storage.deleteAfterCompletion': 'false', ...annotations },
    },
    spec: {
      ...source,
      storage: { resources: { requests: { storage: size } }, ...(storageClass && { storageClassName: storageClass }) },
    },
  }
}
