import { DroverError } from '../../errors.ts'
import { type Document, type ImageInput, type Layer, toConfig, toManifest } from '../../images/oci-image.ts'
import type { Disk } from '../disk.ts'
import { insist, usualPauses } from './insist.ts'
import { measureLayer, packLayer } from './layer.ts'
import type { Registry } from './registry.ts'

export interface Pushed {
  /** Of the manifest: what `repository@digest` names. */
  digest: string
  /** Of the disk, in bytes: what a claim that is made from it must have room for. */
  size: number
}

export interface PushOptions {
  pauses?: readonly number[]
  say?: (sentence: string) => void
}

/** Pushes a disk as a container disk under a tag. A disk that is there already is not sent again. */
export async function pushDisk(
  disk: Disk,
  input: ImageInput & { tag: string },
  registry: Registry,
  { pauses = usualPauses, say = () => {} }: PushOptions = {},
): Promise<Pushed> {
  const patiently = <T>(attempt: () => Promise<T>) => insist(attempt, pauses, say)

  const layer = await pushLayer(disk, input.tag, registry, patiently)
  const config = toConfig(input, layer)
  await patiently(() => pushDocument(registry, config))
  const manifest = toManifest(input, config.descriptor, layer)
  await patiently(() => registry.putManifest(input.tag, manifest))
  await patiently(() => registry.checkManifest(input.tag, manifest))
  return { digest: manifest.descriptor.digest, size: disk.size }
}

type Patiently = <T>(attempt: () => Promise<T>) => Promise<T>

/**
 * The digest is known when all is sent, too late to send nothing. A tag that is there already was probably made of this disk, by a
 * Pod that ended before it could say so: then it is worth to read the disk once to ask, and perhaps a second time to send.
 */
async function pushLayer(disk: Disk, tag: string, registry: Registry, patiently: Patiently): Promise<Layer> {
  let layer = (await patiently(() => registry.hasTag(tag))) ? await measureLayer(disk) : undefined
  return patiently(async () => {
    if (layer && (await registry.hasBlob(layer))) return layer
    const packing = packLayer(disk)
    const packed = () => {
      layer = packing.packed()
      if (!layer) throw new DroverError('busy', 'Cannot push the layer: the registry took it for sent before its end')
      return layer
    }
    await registry.sendBlob('the layer', packing.bytes, () => packed().digest)
    return packed()
  })
}

async function pushDocument(registry: Registry, { text, descriptor }: Document): Promise<void> {
  if (await registry.hasBlob(descriptor)) return
  await registry.sendBlob('the configuration', text, () => descriptor.digest)
}
