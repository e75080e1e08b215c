import { canonical } from '../quantity.ts'
import type { Definition, SpareRoot } from '../schema/definition.ts'
import { claimOf, diskLabel, kept, type Manifest, metadataOf, rootDiskName } from './manifest.ts'

/**
 * Disks are DataVolumes of their own, never `dataVolumeTemplates`: those belong to the VirtualMachine and are deleted
 * with it. https://github.com/kubevirt/kubevirt/issues/11519
 */
export function disks(definition: Definition): Manifest[] {
  const { image, rootDisk, nextRoot, oldRoots = [] } = definition
  const roots = [{ ...rootDisk, image, name: rootDiskName(definition) }, ...(nextRoot ? [nextRoot] : []), ...oldRoots]
  return [
    ...roots.flatMap((root) => rootVolume(definition, root)),
    ...definition.disks.flatMap((disk) => dataVolume(definition, disk)),
  ]
}

type Disk = Definition['disks'][number]

function rootVolume(definition: Definition, root: SpareRoot): Manifest[] {
  return volume(definition, root.name, 'root', root, sourceOf(definition, root), {})
}

function sourceOf({ namespace }: Definition, { image, snapshot }: SpareRoot): object {
  if (snapshot !== undefined) return { source: { snapshot: { namespace, name: snapshot } } }
  if ('registry' in image) return { source: { registry: { url: image.registry } } }
  return { sourceRef: { kind: 'DataSource', namespace: image.namespace, name: image.dataSource } }
}

function dataVolume(definition: Definition, disk: Disk): Manifest[] {
  const { snapshot, destroyed } = disk
  const { namespace } = definition
  const source = snapshot === undefined ? { blank: {} } : { snapshot: { namespace, name: snapshot } }
  return volume(definition, claimOf(definition, disk), 'data', disk, { source }, destroyed ? {} : kept)
}

function volume(
  definition: Definition,
  name: string,
  role: 'root' | 'data',
  { size, storageClass, made, snapshot, atOnce }: Pick<Disk, 'size' | 'storageClass' | 'made' | 'snapshot' | 'atOnce'>,
  source: object,
  annotations: Record<string, string>,
): Manifest[] {
  const { labels: common, ...metadata } = metadataOf(definition, name)
  const labels = { ...common, [diskLabel]: role }
  const dataVolume = {
    apiVersion: 'cdi.kubevirt.io/v1beta1',
    kind: 'DataVolume',
    metadata: {
      ...metadata,
      labels,
      // Older CDI removes a DataVolume once it is filled; Argo CD would then make it again, over and over.
      annotations: {
        'cdi.kubevirt.io/storage.deleteAfterCompletion': 'false',
        // A class may bind, and CDI fill, only once a consumer is there.
        ...(atOnce && { 'cdi.kubevirt.io/storage.bind.immediate.requested': 'true' }),
        ...annotations,
      },
    },
    spec: {
      ...source,
      storage: {
        // On a file system a claim is larger than its disk, and CDI declines a size below the snapshot's claim: without one it takes that.
        ...(snapshot === undefined && { resources: { requests: { storage: canonical(made ?? size) } } }),
        ...(storageClass && { storageClassName: storageClass }),
      },
    },
  }
  if (made === undefined) return [dataVolume]
  // The claim is CDI's, but for its size. It must not go when this does, and without a mode it cannot be made blank.
  const claim = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { ...metadata, labels, annotations: { ...kept } },
    spec: { resources: { requests: { storage: canonical(size) } } },
  }
  return [dataVolume, claim]
}
