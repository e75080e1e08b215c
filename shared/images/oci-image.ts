import { createHash } from 'node:crypto'

/** What makes a layer with a disk an OCI image that KubeVirt takes as a container disk. */

/** A blob or a manifest, as OCI refers to it. */
export interface Descriptor {
  mediaType: string
  digest: string
  size: number
}

/** A layer as it lies in the registry, and the digest of what is in it once it is unpacked. */
export interface Layer {
  digest: string
  size: number
  diffId: string
}

export interface ImageInput {
  architecture: string
  /** RFC 3339; a fact of the run, never the clock: the same disk has to give the same digest. */
  created: string
  /** What machines get unless they say another: one of the whole cluster. */
  instancetype?: string
  preference?: string
  /** Annotations of OCI: revision, title, base digest. */
  annotations: Record<string, string>
}

export const mediaTypes = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
} as const

export const digestOf = (bytes: string | Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

/** A document, as its bytes and what refers to them. */
export interface Document {
  text: string
  descriptor: Descriptor
}

/** The image's configuration. CDI makes labels of its variables, from which KubeVirt infers instance type and preference. */
export function toConfig({ architecture, created, instancetype, preference }: ImageInput, { diffId }: Layer): Document {
  const Env = [...variables('INSTANCETYPE', instancetype), ...variables('PREFERENCE', preference)]
  return toDocument(mediaTypes.config, {
    created,
    architecture,
    os: 'linux',
    config: Env.length === 0 ? {} : { Env },
    rootfs: { type: 'layers', diff_ids: [diffId] },
    history: [{ created, created_by: 'drover' }],
  })
}

const variables = (what: string, name: string | undefined): string[] =>
  name === undefined ? [] : [`INSTANCETYPE_KUBEVIRT_IO_DEFAULT_${what}=${name}`]

/** The manifest, which is what the tag names. */
export function toManifest(
  { created, annotations }: ImageInput,
  config: Descriptor,
  { digest, size }: Layer,
): Document {
  const all = { ...annotations, 'org.opencontainers.image.created': created }
  return toDocument(mediaTypes.manifest, {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config,
    layers: [{ mediaType: mediaTypes.layer, digest, size }],
    annotations: Object.fromEntries(Object.entries(all).sort(([one], [other]) => (one < other ? -1 : 1))),
  })
}

function toDocument(mediaType: string, content: object): Document {
  const text = JSON.stringify(content)
  return { text, descriptor: { mediaType, digest: digestOf(text), size: Buffer.byteLength(text) } }
}
